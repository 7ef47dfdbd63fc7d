"""Pictures of other frames, moved to where the camera looks now, whole or in pieces."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Planes
from shared.motion.camera import Matrix, scale_matrix

Plane = NDArray[Any]
Weights = NDArray[np.float32]

FEATHER = 0.03
"""Width of the band in which a moved picture fades out at its edges, as a part of the picture's smaller side."""
NEAR = 1 / 3
"""Pixels: how far a picture may be off without being resampled, which would cost time and sharpness: linear interpolation blurs by up to
half a pixel, more than it mends there."""
_HELD_STILL = 0.1
"""Small pixels: a mask or a soft ghost that is off by less is not moved."""


def shift_of(matrix: Matrix, size: tuple[int, int], *, within: float = 1e-3) -> tuple[float, float] | None:
    """The translation in pixels that a matrix (3, 3) is, to `within` so many, all over a picture of `size` (width, height); else None."""
    corners = np.array([[[0, 0], [size[0], 0], [0, size[1]], [size[0], size[1]]]], np.float64)
    moved = (cv2.perspectiveTransform(corners, matrix) - corners)[0]
    middle = moved.mean(axis=0)
    return (float(middle[0]), float(middle[1])) if np.abs(moved - middle).max() <= within else None


def held_still(matrix: Matrix, size: tuple[int, int]) -> bool:
    """Whether small planes of `size` (width, height) need not be moved by `matrix`."""
    shift = shift_of(matrix, size, within=_HELD_STILL)
    return shift is not None and max(map(abs, shift)) < _HELD_STILL


def warped(planes: Plane, matrix: Matrix, outside: tuple[float, ...]) -> Plane:
    """Small planes (height, width) or (height, width, n) moved by `matrix` (3, 3), with the values `outside` where they have no picture."""
    size = planes.shape[1], planes.shape[0]
    if held_still(matrix, size):
        return planes
    if _is_affine(matrix):
        moved = cv2.warpAffine(planes, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=outside)
    else:
        moved = cv2.warpPerspective(planes, matrix, size, flags=cv2.INTER_LINEAR, borderValue=outside)
    return moved.reshape(planes.shape)


def mix_weighted(mixed: Planes, ghost: Planes, matrix: Matrix, weights: Weights) -> None:
    """Mix a picture into planes of the same shapes, moved by `matrix` (3, 3), each pixel by its weight (0 to 1).

    `weights`: float32 of any size, (height, width), enlarged to that of each plane. Only the rectangle with weights is touched.
    """
    found = rectangle(weights > 1 / 512)
    if found is None:
        return
    height, width = mixed[0].shape
    pieces = [enlarged(found, weights.shape, target.shape) for target in mixed]
    moved = []
    for (rows, columns), target, source in zip(pieces, mixed, ghost, strict=True):
        own = scale_matrix(matrix, target.shape[1] / width, target.shape[0] / height)
        own = np.array([[1, 0, -columns.start], [0, 1, -rows.start], [0, 0, 1]]) @ own
        moved.append(moved_piece(source, own, (columns.stop - columns.start, rows.stop - rows.start)))
    for (rows, columns), target, source in zip(pieces, mixed, moved, strict=True):
        view = target[rows, columns]
        # Enlarging a piece moves its border by half a pixel of the small plane at most, where the weight is next to nothing.
        view[...] = _lerp(view, source, cv2.resize(weights[found], view.shape[::-1], interpolation=cv2.INTER_LINEAR))


def rectangle(where: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Rows and columns around all that is true, and a pixel more where there is one; None if nothing is."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    if not len(rows):
        return None
    return slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2), slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2)


def enlarged(piece: tuple[slice, slice], source: tuple[int, ...], target: tuple[int, ...]) -> tuple[slice, slice]:
    """The rectangle of a plane of the shape `target` that `piece` of one of the shape `source` shows; never empty."""
    made = []
    for one, small, large in zip(piece, source, target, strict=True):
        start = min(round(one.start * large / small), large - 1)
        made.append(slice(start, max(round(min(one.stop, small) * large / small), start + 1)))
    return made[0], made[1]


def edge_weights(width: int, height: int) -> Weights:
    """1 inside a picture, falling to 0 at its edges: what a moved picture counts, where all of it does."""
    band = max(FEATHER * min(width, height), 1.0)

    def ramp(length: int) -> Weights:
        at = np.arange(length) + 0.5
        return np.clip(np.minimum(at, length - at) / band, 0, 1).astype(np.float32)

    return np.outer(ramp(height), ramp(width)).astype(np.float32)


def between_pixels(shift: float) -> list[tuple[int, float]]:
    """The whole pixels that a shift lies between, the lower one first, and how much of each it is; a single one that is near enough."""
    nearest, whole = round(shift), int(np.floor(shift))
    return [(nearest, 1.0)] if abs(shift - nearest) <= NEAR else [(whole, whole + 1 - shift), (whole + 1, shift - whole)]


def moved_piece(source: Plane, matrix: Matrix, size: tuple[int, int]) -> Plane:
    """The part of `size` (width, height) at the origin of a plane moved by `matrix`; its border pixels go on beyond its edges."""
    shift = shift_of(matrix, size)
    if shift is not None:
        across, down = between_pixels(shift[0]), between_pixels(shift[1])
        block = _cut(source, -down[-1][0], -across[-1][0], size[1] + len(down) - 1, size[0] + len(across) - 1)
        if block is not None:
            if len(across) > 1:
                block = cv2.addWeighted(block[:, 1:], across[0][1], block[:, :-1], across[1][1], 0)
            return cv2.addWeighted(block[1:], down[0][1], block[:-1], down[1][1], 0) if len(down) > 1 else block
    if _is_affine(matrix):
        return cv2.warpAffine(source, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.warpPerspective(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _cut(source: Plane, top: int, left: int, height: int, width: int) -> Plane | None:
    """A rectangle of a plane, its border pixels repeated beyond its edges; None where nothing of it is inside."""
    rows, columns = slice(max(top, 0), min(top + height, len(source))), slice(max(left, 0), min(left + width, source.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    beyond = rows.start - top, top + height - rows.stop, columns.start - left, left + width - columns.stop
    inside = source[rows, columns]
    return cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE) if any(beyond) else inside


def _is_affine(matrix: Matrix) -> bool:
    return not np.abs(matrix[2, :2]).any()


def _lerp(here: Plane, there: Plane, weights: Weights) -> Plane:
    if here.dtype == np.uint8:
        return cv2.blendLinear(np.ascontiguousarray(here), np.ascontiguousarray(there), 1 - weights, weights)
    mixed = here + (there.astype(np.float32) - here) * weights
    return np.rint(mixed).astype(here.dtype)
