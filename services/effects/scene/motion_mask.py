"""Motion masks: pixels that move relative to the background.

A frame is compared with camera-aligned frames before and after it.
"""

import math
from collections.abc import Sequence
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.warp import Area, around, moved_piece, rectangle, shift_of
from shared.motion.camera import Matrix

Small = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_STILL = np.eye(3)  # matrix of a camera that does not move
_NOISE = np.ones((3, 3), np.uint8)  # neighbourhood that is searched for an equal level, so that a misalignment of one pixel does not count
_MIXED = np.ones((5, 5), np.uint8)  # neighbourhood of pixels that interpolation can mix with invalid ones
_MIN_REGION = 0.0004
"""Minimum area of a moving region, as a share of the picture. Smaller regions are noise."""
_SHARP = 0.1253
"""Minimum sharpness of pixels in focus, relative to the picture's 90th percentile of sharpness."""
_MIN_SHARPNESS = 4.0
"""Minimum 90th percentile of sharpness in a picture with anything in focus. In a softer picture, nothing is in focus."""
_MIN_SHARP = 0.2
"""Minimum share of sharp pixels in a moving region that is in focus."""
_MAX_HOLE = 0.03
"""Largest area of a filled hole, as a share of the picture. Such holes are plain parts of a moving subject: they hardly change."""


def moving(small: Small, others: list[tuple[Small, Matrix]], *, threshold: int) -> Mask:
    """Compute a frame's motion mask, from 0 (still) to 255 (moving).

    `small`: the frame's small planes, uint8 (height, width, 3). `others`: small planes of other frames of the shot, the most useful first,
    each with the matrix that takes the other frame's pixels to this frame's.

    A pixel moves if it differs by more than `threshold` levels, luma and chroma added up, from both of the first two frames that show its
    place. (Where the subject was earlier or will be later, only one of the two frames differs.) The mask rises from 0 at half the threshold
    to 255 at one and a half times the threshold. A pixel whose value lies within the range of the nine pixels around its place does not
    differ, so a misalignment of one pixel is harmless. A place that fewer than two of the other frames show does not move, unless there is
    only one other frame.
    """
    return cleaned(differing(small, [(planes, matrix, None) for planes, matrix in others], threshold=threshold)[0])


def differing(small: Small, others: list[tuple[Small, Matrix, Mask | None]], *, threshold: int) -> tuple[Mask, NDArray[np.bool_]]:
    """Compute a frame's motion mask before `cleaned`, and a mask of the comparable pixels.

    `others`: as for `moving`, each with a mask of the valid pixels of its planes, 255 or 0; None if all are valid. The second mask is True
    where enough of the other frames show the pixel.
    """
    least = np.full(small.shape[:2], 255, np.uint8)
    compared = np.zeros(small.shape[:2], np.uint8)
    needed = min(len(others), 2)
    whole = slice(0, small.shape[0]), slice(0, small.shape[1])
    areas = [whole]
    for planes, matrix, valid_planes in others:
        undecided_areas = [area for area in areas if (compared[area] < needed).any()]
        # After two frames, often only strips along the edges are undecided.
        areas = _strips(compared < needed) if undecided_areas == [whole] else undecided_areas
        if not areas:
            break
        moves = planes.shape != small.shape or np.abs(matrix - _STILL).max() > 0.05
        valid = _moved_validity(valid_planes, planes.shape, matrix, small.shape) if moves else valid_planes
        for area in areas:
            undecided = compared[area] < needed
            if valid is not None:
                undecided &= valid[area] > 0
            if undecided.any():
                difference = _difference(small, planes, matrix if moves else None, area)
                # Pixels for which this frame does not count get 255, which leaves their least difference unchanged.
                least[area] = cv2.min(least[area], difference | (undecided.view(np.uint8) - np.uint8(1)))
                compared[area] += undecided
    comparable = compared >= max(needed, 1)
    least *= comparable  # several times as fast as setting the chosen pixels
    level = cv2.blur(least, (3, 3))
    # 0 at half the threshold, 255 at one and a half times the threshold.
    ramp = np.clip((np.arange(256) - threshold / 2) / threshold * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(level, ramp), np.uint8), comparable


def in_focus(luma: Mask, area: Area, *, block: int) -> NDArray[np.bool_]:
    """Compute a mask of a luma plane's sharp parts in a rectangle.

    Sharpness is the variance of the Laplacian over squares of `block` pixels, relative to its 90th percentile in the whole picture.
    """
    edges = cv2.Laplacian(luma, cv2.CV_32F, ksize=3)
    mean, square = cv2.blur(edges, (block, block)), cv2.blur(edges * edges, (block, block))
    variance = square - mean * mean
    sharpest = float(np.percentile(variance[::4, ::4], 90))
    return np.asarray((variance[area] > _SHARP * sharpest) & (sharpest >= _MIN_SHARPNESS))


def focused(mask: Mask, luma: Mask, *, block: int) -> Mask:
    """Remove out-of-focus regions from a mask.

    A region is kept or removed as a whole, so the plain inside of a sharp subject stays.
    """
    regions = mask > 63
    area = rectangle(regions)
    if area is None:
        return mask
    sharp = in_focus(luma, area, block=block)
    # Counting the pixels of labels takes half the time of OpenCV's statistics.
    count, labels = cv2.connectedComponents(regions[area].view(np.uint8), connectivity=8)
    blurred_and_sharp = np.bincount((2 * labels + sharp).ravel(), minlength=2 * count).reshape(count, 2)
    sharp_enough = blurred_and_sharp[:, 1] >= _MIN_SHARP * blurred_and_sharp.sum(axis=1)
    sharp_enough[0] = True  # the faint rims around regions
    if sharp_enough.all():
        return mask
    result = mask.copy()
    result[area] *= sharp_enough.take(labels)
    return result


def _strips(where: NDArray[np.bool_]) -> list[Area]:
    """Return rectangles that together contain all true pixels of a mask.

    They are strips along the picture's edges if the middle is false, else the whole picture.
    """
    height, width = where.shape
    rows, columns = _false_run(where[:, width // 2]), _false_run(where[height // 2])
    if rows.start == rows.stop or where[rows, columns].any():
        return [(slice(0, height), slice(0, width))]
    sides = [(slice(0, rows.start), slice(0, width)), (slice(rows.stop, height), slice(0, width))]
    sides += [(rows, slice(0, columns.start)), (rows, slice(columns.stop, width))]
    return [side for side in sides if where[side].any()]


def _false_run(line: NDArray[np.bool_]) -> slice:
    """Return the run of false pixels around the middle of a line.

    The run is empty if the middle is true.
    """
    middle = len(line) // 2
    before, after = np.flatnonzero(line[:middle]), np.flatnonzero(line[middle:])
    return slice(int(before[-1]) + 1 if len(before) else 0, middle + int(after[0]) if len(after) else len(line))


def _difference(small: Small, planes: Small, matrix: Matrix | None, area: Area) -> Mask:
    """Measure how `small` differs from another frame's `planes` in a rectangle.

    A pixel's difference is its distance to the range of the nine nearest pixels of the other frame, summed over the planes. `matrix` moves
    the other frame; None if it is still. Returns the differences in `area`.
    """
    rows, columns = around([area], small.shape, 1) or area
    size = columns.stop - columns.start, rows.stop - rows.start
    corner = np.array([[1, 0, -columns.start], [0, 1, -rows.start], [0, 0, 1]])
    moved = planes[rows, columns] if matrix is None else moved_piece(planes, corner @ matrix, size)
    inner = tuple(slice(side.start - outer.start, side.stop - outer.start) for side, outer in zip(area, (rows, columns), strict=True))
    low, high = cv2.erode(moved, _NOISE)[inner], cv2.dilate(moved, _NOISE)[inner]
    own = small[area]
    beyond = cv2.max(cv2.subtract(own, high), cv2.subtract(low, own))
    return np.asarray(reduce(cv2.add, cv2.split(beyond)), np.uint8)


def _moved_validity(valid: Mask | None, shape: tuple[int, ...], matrix: Matrix, target: tuple[int, ...]) -> Mask:
    """Warp a mask of valid pixels by `matrix`.

    Pixels that interpolation mixes with invalid ones become invalid. `valid`: 255 where planes of `shape` are valid; None: everywhere.
    Returns a mask for planes of the shape `target`.
    """
    size = target[1], target[0]
    shift = shift_of(matrix, size) if valid is None else None
    if shift is None:
        moved = cv2.warpPerspective(np.full(shape[:2], 255, np.uint8) if valid is None else valid, matrix, size, flags=cv2.INTER_NEAREST)
        return np.asarray(cv2.erode(moved, _MIXED, borderValue=255), np.uint8)
    # A shifted picture is a rectangle, which takes no warp.
    result = np.zeros(target[:2], np.uint8)
    result[_seen(shift[1], shape[0], target[0]), _seen(shift[0], shape[1], target[1])] = 255
    return result


def _seen(shift: float, length: int, target: int) -> slice:
    """Return the range of valid pixels on an axis after a shift.

    Pixels that interpolation mixes with invalid ones are left out. `length` pixels are shifted into an axis of `target` pixels.
    """
    start, stop = math.ceil(shift - 0.5), math.floor(shift + length - 0.5) + 1
    margin = len(_MIXED) // 2
    return slice(start + margin if start > 0 else 0, max(stop - margin, 0) if stop < target else target)


_THIN, _COMPACT = 0.1, 0.2
"""Areas of regions, divided by the square of their longer side. Below _THIN, a region is only an edge of a subject. _COMPACT is the area of
a person or an animal, which then counts in its place."""


def cleaned(mask: Mask) -> Mask:
    """Remove specks from a mask and fill its gaps and holes."""
    height, width = mask.shape
    result = np.zeros_like(mask)
    moves = mask > 127
    area = rectangle(moves)
    if area is None:
        return result
    regions = np.zeros(mask.shape, np.bool_)
    regions[area] = _regions(moves[area], at_least=max(_MIN_REGION * height * width, 4))
    area = rectangle(regions)
    if area is None:
        return result
    reach = max(round(height * 0.012), 1) * 2 + 1
    largest = _MAX_HOLE * height * width
    area = _with_narrow_margins(around([area], mask.shape, reach + 3) or area, mask.shape, largest)
    core = cv2.dilate(regions[area].view(np.uint8) * np.uint8(255), _NOISE, iterations=2)
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx(cv2.min(mask[area], core), cv2.MORPH_CLOSE, shape)
    # A plain surface does not change as it moves, so a subject's inside is a hole in the mask.
    holes = _regions(closed <= 127, at_most=largest, open_sides=_inner_sides(area, mask.shape))
    result[area] = cv2.blur(cv2.bitwise_or(closed, holes.view(np.uint8) * np.uint8(255)), (3, 3))
    return result


def _with_narrow_margins(area: Area, shape: tuple[int, ...], largest: float) -> Area:
    """Extend a rectangle to those edges of the picture that are near.

    Then more than `largest` pixels lie beyond each side. `shape`: height and width of the picture.
    """
    sides = []
    for side, length, other in zip(area, shape, reversed(shape), strict=True):
        near = largest / other
        sides.append(slice(side.start if side.start > near else 0, side.stop if length - side.stop > near else length))
    return sides[0], sides[1]


def _inner_sides(area: Area, shape: tuple[int, ...]) -> list[tuple[int | slice, int | slice]]:
    """Return the outermost lines of a rectangle, except those on the picture's edges.

    Each is an index into the rectangle. `shape`: height and width of the picture.
    """
    every = slice(None)
    (rows, columns), (height, width) = area, shape
    lines: list[tuple[bool, tuple[int | slice, int | slice]]] = [
        (rows.start > 0, (0, every)),
        (rows.stop < height, (-1, every)),
        (columns.start > 0, (every, 0)),
        (columns.stop < width, (every, -1)),
    ]
    return [line for inner, line in lines if inner]


def completed(mask: Mask) -> Mask:
    """Fill the inside of a subject whose mask covers only its moving edges.

    Closes gaps up to a twelfth of the height, and fills the areas that they enclose. A closed gap may show the scene, which is harmless: in
    the view of the current frame, the scene looks the same in a ghost.
    """
    return np.asarray(np.maximum(mask, _enclosed_areas(mask).view(np.uint8) * np.uint8(255)), np.uint8)


def share_seen(mask: Mask) -> float:
    """Estimate the share of the subject that a mask covers, 0 to 1.

    The subject is the area within the outer outlines of the mask's regions. A long and thin region is only the edge of a subject; the
    subject then counts with the area that a person of that length has.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.where(_enclosed_areas(mask), 255, 0).astype(np.uint8), connectivity=8)
    held = np.bincount(labels[mask > 127], minlength=count)
    total = 0.0
    for label in range(1, count):
        area, longest = float(stats[label, cv2.CC_STAT_AREA]), max(stats[label, cv2.CC_STAT_WIDTH], stats[label, cv2.CC_STAT_HEIGHT])
        total += area if area > _THIN * longest**2 else _COMPACT * longest**2
    return float(held[1:].sum()) / total if total else 0.0


def _enclosed_areas(mask: Mask) -> NDArray[np.bool_]:
    """Return a mask's regions with their gaps closed and their holes filled.

    Returns bool (height, width). Gaps up to a twelfth of the height are closed first.
    """
    reach = max(round(mask.shape[0] / 24), 1) * 2 + 1
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    within = np.zeros(mask.shape, np.bool_)
    regions = mask > 127
    area = rectangle(regions)
    if area is None:
        return within
    # Closing changes no pixel farther away than the width of the shape.
    area = around([area], mask.shape, reach)
    closed = cv2.morphologyEx(regions[area].view(np.uint8), cv2.MORPH_CLOSE, shape)
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    within[area] = cv2.drawContours(np.zeros_like(closed), contours, -1, 255, cv2.FILLED) > 0
    return within


def regions_with(where: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask of the connected regions of `where` that touch `seeds`.

    A region touches if it contains a pixel of `seeds`. `where`, `seeds`: bool (height, width).
    """
    count, labels = cv2.connectedComponents(where.astype(np.uint8), connectivity=4)
    seeded = np.bincount(labels[seeds], minlength=count) > 0
    seeded[0] = False
    return np.asarray(seeded[labels], np.bool_)


def _regions(
    where: NDArray[np.bool_],
    *,
    at_least: float = 1,
    at_most: float = np.inf,
    open_sides: Sequence[tuple[int | slice, int | slice]] = (),
) -> NDArray[np.bool_]:
    """Return a mask of the regions of `where` with an area in a range.

    Regions are connected pixels. `at_least`, `at_most`: limits of the area in pixels. `open_sides`: lines of `where` beyond which regions
    go on for more than `at_most` pixels.
    """
    count, labels = cv2.connectedComponents(where.view(np.uint8), connectivity=4)
    area = np.bincount(labels.ravel(), minlength=count)
    in_range = (area >= at_least) & (area <= at_most)
    in_range[0] = False
    for line in open_sides:
        in_range[labels[line]] = False
    if not in_range.any():
        return np.zeros(where.shape, np.bool_)
    return where if in_range[1:].all() else np.asarray(in_range.take(np.asarray(labels, np.int32)), np.bool_)
