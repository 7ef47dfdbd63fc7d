"""Ghosts in full size: pictures of other frames, moved to where the camera looks now and mixed into the current one.

The mean of pictures is built up in place, one ghost after the other: with `part` the share that a ghost has of what is mixed so far,
mixed = (1 - part) * mixed + part * ghost, in the planes' own 8 or 16 bits. Each step rounds by half a level at most, and later steps
shrink the error, so the result stays within a level of the exact mean.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.camera import Matrix, scaled
from services.effects.pixels import Planes
from services.effects.tint import Tint

Plane = NDArray[Any]
Weights = NDArray[np.float32]

FEATHER = 0.03
"""Width of the band in which a moved picture fades out at its edges, as a part of the picture's smaller side."""
_NEAR, _CHROMA_NEAR = 0.25, 0.35
"""Pixels of luma and of smaller chroma: how far a picture may be off without being resampled, which would cost time and sharpness: linear
interpolation blurs by up to half a pixel, more than it mends there."""

_HELD_STILL = 0.1
"""Small pixels: a mask or a soft ghost that is off by less is not moved."""


def shift_of(matrix: Matrix) -> tuple[float, float] | None:
    """The translation that a matrix (3, 3) is, in pixels; None if it is more than that."""
    plain = matrix.copy()
    plain[:2, 2] = 0
    return (float(matrix[0, 2]), float(matrix[1, 2])) if np.abs(plain - np.eye(3)).max() < 1e-6 else None


def held_still(matrix: Matrix) -> bool:
    """Whether small planes need not be moved by `matrix`."""
    shift = shift_of(matrix)
    return shift is not None and max(map(abs, shift)) < _HELD_STILL


def warped(planes: Plane, matrix: Matrix, outside: tuple[float, ...]) -> Plane:
    """Small planes (height, width) or (height, width, n) moved by `matrix` (3, 3), with the values `outside` where they have no picture."""
    if held_still(matrix):
        return planes
    size = planes.shape[1], planes.shape[0]
    if shift_of(matrix) is not None:
        moved = cv2.warpAffine(planes, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=outside)
    else:
        moved = cv2.warpPerspective(planes, matrix, size, flags=cv2.INTER_LINEAR, borderValue=outside)
    return moved.reshape(planes.shape)


def mix_shifted(mixed: Planes, ghost: Planes, shift: tuple[float, float], part: float) -> None:
    """Mix `part` (0 to 1) of a ghost into planes of the same shapes, moved right and down by `shift` pixels of the first plane.

    Where the moved ghost has no picture, nothing is mixed in; towards its edges it fades out.
    """
    height, width = mixed[0].shape
    for target, source in zip(mixed, ghost, strict=True):
        across, down = shift[0] * target.shape[1] / width, shift[1] * target.shape[0] / height
        _mix_plane(target, source, across, down, part, _NEAR if target.shape == mixed[0].shape else _CHROMA_NEAR)


def mix_weighted(mixed: Planes, ghost: Planes, matrix: Matrix, weights: Weights, *, tint: Tint | None = None) -> None:
    """Mix a ghost into planes of the same shapes, moved by `matrix` (3, 3) and tinted, each pixel by its weight (0 to 1).

    `weights`: float32 of any size, (height, width), enlarged to that of each plane. Only the rectangle with weights is touched.
    """
    found = rectangle(weights > 1 / 512)
    if found is None:
        return
    height, width = mixed[0].shape
    pieces = [enlarged(found, weights.shape, target.shape) for target in mixed]
    moved = []
    for (rows, columns), target, source in zip(pieces, mixed, ghost, strict=True):
        own = scaled(matrix, target.shape[1] / width, target.shape[0] / height)
        own = np.array([[1, 0, -columns.start], [0, 1, -rows.start], [0, 0, 1]]) @ own
        moved.append(moved_piece(source, own, (columns.stop - columns.start, rows.stop - rows.start)))
    for (rows, columns), target, source in zip(pieces, mixed, tint.of_planes(tuple(moved)) if tint else moved, strict=True):
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


def _mix_plane(target: Plane, source: Plane, across: float, down: float, part: float, near: float) -> None:
    height, width = target.shape
    moved, left, top = _shifted(source, across, down, near)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + moved.shape[1], width), min(top + moved.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return
    moved = moved[y0 - top : y1 - top, x0 - left : x1 - left]
    view = target[y0:y1, x0:x1]
    band = max(round(FEATHER * min(width, height)), 1)
    across_ramp, down_ramp = _ramp(x0, x1, width, band), _ramp(y0, y1, height, band)
    inner_x, inner_y = _inner(across_ramp), _inner(down_ramp)
    inside = view[inner_y, inner_x]
    if inside.size:
        cv2.addWeighted(inside, 1 - part, moved[inner_y, inner_x], part, 0, dst=inside)
    # The bands: above, below, and left and right of what is between those.
    for rows, columns in (
        (slice(0, inner_y.start), slice(None)),
        (slice(inner_y.stop, None), slice(None)),
        (inner_y, slice(0, inner_x.start)),
        (inner_y, slice(inner_x.stop, None)),
    ):
        piece = view[rows, columns]
        if piece.size:
            weights = part * np.outer(down_ramp[rows], across_ramp[columns]).astype(np.float32)
            piece[...] = _lerp(piece, moved[rows, columns], weights)


def _shifted(source: Plane, across: float, down: float, near: float) -> tuple[Plane, int, int]:
    """A plane moved by a fraction of a pixel, and the whole pixels that it is to be moved by."""
    left, right_part = _split(across, near)
    top, lower_part = _split(down, near)
    if right_part and source.shape[1] > 1:
        source = cv2.addWeighted(source[:, 1:], 1 - right_part, source[:, :-1], right_part, 0)
        left += 1
    if lower_part and source.shape[0] > 1:
        source = cv2.addWeighted(source[1:], 1 - lower_part, source[:-1], lower_part, 0)
        top += 1
    return source, left, top


def _split(shift: float, near: float = _NEAR) -> tuple[int, float]:
    """Whole pixels, and the fraction beyond them, 0 where the nearest whole number is near enough."""
    nearest = round(shift)
    if abs(shift - nearest) <= near:
        return nearest, 0.0
    whole = int(np.floor(shift))
    return whole, shift - whole


def _ramp(start: int, stop: int, length: int, band: int) -> Weights:
    """Weights of the columns `start` to `stop` of `length`: they rise from an edge that has come into the picture."""
    weights = np.ones(stop - start, np.float32)
    rising = (np.arange(stop - start) + 0.5) / band
    if start > 0:
        weights = np.minimum(weights, rising)
    if stop < length:
        weights = np.minimum(weights, rising[::-1])
    return weights.astype(np.float32)


def _inner(ramp: Weights) -> slice:
    full = np.flatnonzero(ramp >= 1)
    return slice(int(full[0]), int(full[-1]) + 1) if len(full) else slice(0, 0)


def moved_piece(source: Plane, matrix: Matrix, size: tuple[int, int]) -> Plane:
    """The part of `size` (width, height) at the origin of a plane moved by `matrix`; its border pixels go on beyond its edges."""
    shift = shift_of(matrix)
    if shift is not None and all(_split(value)[1] == 0 for value in shift):
        left, top = -round(shift[0]), -round(shift[1])
        if left >= 0 and top >= 0 and left + size[0] <= source.shape[1] and top + size[1] <= source.shape[0]:
            return source[top : top + size[1], left : left + size[0]]
    return cv2.warpPerspective(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _lerp(here: Plane, there: Plane, weights: Weights) -> Plane:
    if here.dtype == np.uint8:
        return cv2.blendLinear(np.ascontiguousarray(here), np.ascontiguousarray(there), 1 - weights, weights)
    mixed = here + (there.astype(np.float32) - here) * weights
    return np.rint(mixed).astype(here.dtype)
