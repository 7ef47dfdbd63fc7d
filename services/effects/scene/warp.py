"""Warping of planes, or rectangles of planes, to another frame's view."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Planes
from shared.motion.camera import Matrix, pure_shift, scale_matrix, shift_matrix

Plane = NDArray[Any]
Weights = NDArray[np.float32]
Area = tuple[slice, slice]
"""Rows and columns of a plane."""

FEATHER = 0.03
"""Width of the rim in which a moved picture fades out. It is a share of the picture's smaller side."""
NEAR = 1 / 3
"""Largest misalignment, in pixels, that is not corrected. A correction would resample, which blurs by up to half a pixel."""
_STILL = 0.1
"""Misalignment below which a mask or a soft ghost is not moved. It is in pixels of small planes."""


def shift_of(matrix: Matrix, size: tuple[int, int], *, within: float = 1e-3) -> tuple[float, float] | None:
    """Return a matrix's shift (right, down) in pixels; None if it also warps.

    `matrix`: (3, 3), applied to a picture of `size` (width, height). It only shifts if no corner's movement differs from the
    mean by more than `within` pixels.
    """
    if (shift := pure_shift(matrix)) is not None:
        return shift
    corners = np.array([[[0, 0], [size[0], 0], [0, size[1]], [size[0], size[1]]]], np.float64)
    moved = (cv2.perspectiveTransform(corners, matrix) - corners)[0]
    middle = moved.mean(axis=0)
    return (float(middle[0]), float(middle[1])) if np.abs(moved - middle).max() <= within else None


def is_still(matrix: Matrix, size: tuple[int, int]) -> bool:
    """Return whether a matrix moves small planes too little to matter.

    `matrix`: (3, 3). `size`: width and height.
    """
    shift = shift_of(matrix, size, within=_STILL)
    return shift is not None and max(map(abs, shift)) < _STILL


def warped(planes: Plane, matrix: Matrix, outside: tuple[float, ...]) -> Plane:
    """Warp small planes by a matrix (3, 3).

    `planes`: (height, width) or (height, width, n). `outside`: values beyond the edges of the planes, one per plane.
    """
    size = planes.shape[1], planes.shape[0]
    if is_still(matrix, size):
        return planes
    if _is_affine(matrix):
        moved = cv2.warpAffine(planes, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=outside)
    else:
        moved = cv2.warpPerspective(planes, matrix, size, flags=cv2.INTER_LINEAR, borderValue=outside)
    return moved.reshape(planes.shape)


def warped_piece(piece: Plane, matrix: Matrix, outside: tuple[float, ...], *, source: Area, target: Area) -> Plane:
    """Warp a rectangle of small planes, `source`, into another rectangle, `target`.

    `warped` moves whole planes the same way. `piece`: (height, width, n), the planes in `source`. Returns the moved planes in `target`,
    which must contain the moved piece.
    """
    own = _from_corner(matrix, source, source)
    size = target[1].stop - target[1].start, target[0].stop - target[0].start
    if is_still(own, (piece.shape[1], piece.shape[0])):
        rows, columns = ((inner.start - outer.start, outer.stop - inner.stop) for inner, outer in zip(source, target, strict=True))
        moved = cv2.copyMakeBorder(piece, *rows, *columns, cv2.BORDER_CONSTANT, value=outside)
    else:
        matrix = _from_corner(matrix, source, target)
        shift = shift_of(matrix, (piece.shape[1], piece.shape[0]))
        shifted = None if shift is None else _shifted_piece(piece, shift, size, outside)
        if shifted is not None:
            moved = shifted
        elif _is_affine(matrix):
            moved = cv2.warpAffine(piece, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=outside)
        else:
            moved = cv2.warpPerspective(piece, matrix, size, flags=cv2.INTER_LINEAR, borderValue=outside)
    return moved.reshape(size[1], size[0], piece.shape[2])


def _shifted_piece(piece: Plane, shift: tuple[float, float], size: tuple[int, int], outside: tuple[float, ...]) -> Plane | None:
    """Shift a piece into planes of `size`.

    Interpolates linearly, which is several times as fast as a warp. `shift`: right and down, in pixels. `outside`: values around the
    piece. None if all of the piece leaves the planes.
    """
    places = [(math.floor(way), way - math.floor(way)) for way in shift]
    (left, across), (top, down) = places
    # One more column and row, before the first ones, for the pixels that interpolation mixes in.
    rows = slice(max(-top - 1, 0), min(size[1] - top, piece.shape[0]))
    columns = slice(max(-left - 1, 0), min(size[0] - left, piece.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    above, before = top + 1 + rows.start, left + 1 + columns.start
    below, after = size[1] - top - rows.stop, size[0] - left - columns.stop
    block = cv2.copyMakeBorder(piece[rows, columns], above, below, before, after, cv2.BORDER_CONSTANT, value=outside)
    block = cv2.addWeighted(block[:, 1:], 1 - across, block[:, :-1], across, 0)
    return np.asarray(cv2.addWeighted(block[1:], 1 - down, block[:-1], down, 0))


def moved_area(area: Area, matrix: Matrix) -> Area:
    """Return the bounding rectangle of a warped area.

    The rectangle is one pixel wider on each side and may extend beyond the planes.
    """
    rows, columns = area
    if (shift := pure_shift(matrix)) is not None:
        right, down = shift
        return (
            slice(math.floor(rows.start + down) - 1, math.ceil(rows.stop + down) + 1),
            slice(math.floor(columns.start + right) - 1, math.ceil(columns.stop + right) + 1),
        )
    corners = np.array([[[x, y] for x in (columns.start, columns.stop) for y in (rows.start, rows.stop)]], np.float64)
    moved = cv2.perspectiveTransform(corners, matrix)[0]
    (left, top), (right, bottom) = np.floor(moved.min(axis=0)).astype(int) - 1, np.ceil(moved.max(axis=0)).astype(int) + 1
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def around(areas: list[Area], shape: tuple[int, ...], margin: int) -> Area | None:
    """Return the bounding rectangle of several areas, with a margin.

    The rectangle is cut to planes of `shape`; None if no part lies within them.
    """
    if not areas:
        return None
    sides = [
        slice(max(min(area[axis].start for area in areas) - margin, 0), min(max(area[axis].stop for area in areas) + margin, shape[axis]))
        for axis in range(2)
    ]
    return (sides[0], sides[1]) if all(side.start < side.stop for side in sides) else None


def mix_weighted(mixed: Planes, ghost: Planes, matrix: Matrix, weights: Weights) -> None:
    """Warp `ghost` by `matrix`, and blend it into `mixed` with per-pixel `weights`.

    `mixed` is changed in place. `ghost`: planes of any size in the same chroma format, moved by `matrix` (3, 3). `weights`: float32
    (height, width) from 0 to 1, of any size; they are enlarged to each plane. Only the rectangle around the weights changes.
    """
    area = rectangle(weights > 1 / 512)
    if area is None:
        return
    height, width = mixed[0].shape
    pieces = [enlarged(area, weights.shape, target.shape) for target in mixed]
    moved = []
    for (rows, columns), target, source in zip(pieces, mixed, ghost, strict=True):
        own = scale_matrix(matrix, target.shape[1] / width, target.shape[0] / height)
        own = np.array([[1, 0, -columns.start], [0, 1, -rows.start], [0, 0, 1]]) @ own
        moved.append(moved_piece(source, own, (columns.stop - columns.start, rows.stop - rows.start)))
    for (rows, columns), target, source in zip(pieces, mixed, moved, strict=True):
        view = target[rows, columns]
        # Enlarging the piece alone shifts its border by at most half a small pixel, where the weight is close to 0.
        shares = np.asarray(cv2.resize(weights[area], view.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        view[...] = _lerp(view, source, shares)


def rectangle(where: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the rows and columns that enclose all true pixels.

    The rectangle is one pixel wider on each side if there is room. None if no pixel is true.
    """
    left, top, width, height = cv2.boundingRect(where.view(np.uint8))
    if not width:
        return None
    rows = slice(max(top - 1, 0), min(top + height + 1, where.shape[0]))
    return rows, slice(max(left - 1, 0), min(left + width + 1, where.shape[1]))


def enlarged(piece: tuple[slice, slice], source: tuple[int, ...], target: tuple[int, ...]) -> tuple[slice, slice]:
    """Scale a plane's rectangle `piece` to the size of another plane.

    The planes have the shapes `source` and `target`. `piece`: rows and columns in a plane of shape `source`. Returns those in a plane of
    shape `target`, never empty.
    """
    sides = []
    for side, small, large in zip(piece, source, target, strict=True):
        start = min(round(side.start * large / small), large - 1)
        sides.append(slice(start, max(round(min(side.stop, small) * large / small), start + 1)))
    return sides[0], sides[1]


def edge_weights(width: int, height: int) -> Weights:
    """Return weights that fade out towards the picture's edges.

    (height, width): 1 inside, falling to 0 within FEATHER of the edges.
    """
    band = max(FEATHER * min(width, height), 1.0)

    def ramp(length: int) -> Weights:
        at = np.arange(length) + 0.5
        return np.asarray(np.clip(np.minimum(at, length - at) / band, 0, 1), np.float32)

    return np.outer(ramp(height), ramp(width)).astype(np.float32)


def between_pixels(shift: float) -> list[tuple[int, float]]:
    """Split a fractional shift into whole-pixel shifts with weights.

    Returns the next lower and the next higher whole shift, or only the nearest if it is within NEAR.
    """
    nearest, whole = round(shift), int(np.floor(shift))
    return [(nearest, 1.0)] if abs(shift - nearest) <= NEAR else [(whole, whole + 1 - shift), (whole + 1, shift - whole)]


def moved_piece(source: Plane, matrix: Matrix, size: tuple[int, int]) -> Plane:
    """Warp a plane, and return its upper left part of the size `size`.

    `matrix`: (3, 3). `size`: width and height of the part. Border pixels are repeated beyond the plane's edges.
    """
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
    """Cut a rectangle out of a plane, repeating border pixels beyond its edges.

    Returns None if the rectangle lies completely outside.
    """
    rows, columns = slice(max(top, 0), min(top + height, len(source))), slice(max(left, 0), min(left + width, source.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    beyond = rows.start - top, top + height - rows.stop, columns.start - left, left + width - columns.stop
    inside = source[rows, columns]
    return cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE) if any(beyond) else inside


def _from_corner(matrix: Matrix, source: Area, target: Area) -> Matrix:
    """Rewrite a matrix between two planes for areas of these planes.

    `matrix`: (3, 3), from positions in one plane to positions in another. `source`, `target`: areas of these planes. The result maps
    positions that count from the upper left corners of the areas.
    """
    if (shift := pure_shift(matrix)) is not None:
        return shift_matrix(shift[0] + source[1].start - target[1].start, shift[1] + source[0].start - target[0].start)
    before = np.array([[1, 0, source[1].start], [0, 1, source[0].start], [0, 0, 1]], np.float64)
    after = np.array([[1, 0, -target[1].start], [0, 1, -target[0].start], [0, 0, 1]], np.float64)
    return after @ matrix @ before


def _is_affine(matrix: Matrix) -> bool:
    return not np.abs(matrix[2, :2]).any()


def _lerp(first: Plane, second: Plane, weights: Weights) -> Plane:
    if first.dtype == np.uint8:
        return cv2.blendLinear(np.ascontiguousarray(first), np.ascontiguousarray(second), 1 - weights, weights)
    mixed = first + (second.astype(np.float32) - first) * weights
    return np.asarray(np.rint(mixed), first.dtype)
