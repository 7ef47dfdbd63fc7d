"""Motion masks: pixels that move relative to the background.

A frame is compared with camera-aligned frames before and after it.
"""

from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.warp import around, moved_piece, rectangle
from shared.motion.camera import Matrix

Small = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_STILL = np.eye(3)  # matrix of a camera that does not move
_NOISE = np.ones((3, 3), np.uint8)  # neighbourhood in which equal levels are no difference: a misalignment of one pixel does not count
_MIXED = np.ones((5, 5), np.uint8)  # neighbourhood of pixels that interpolation can mix with invalid ones
_MIN_REGION = 0.0004
"""Least area of a moving region, as a share of the picture. Smaller regions are noise."""
_MIN_SHARP = 0.2
"""Least sharp share of a moving region that is in focus."""
_MAX_HOLE = 0.03
"""Largest area of a hole that is filled, as a share of the picture. Smaller holes are even parts of a moving subject."""


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
    """Compute a frame's uncleaned motion mask, and a mask of its known pixels.

    `others`: as for `moving`, each with a mask of the valid pixels of its planes, 255 or 0; None if all are valid. The second mask is True
    where enough frames show the pixel.
    """
    height, width = small.shape[:2]
    least = np.full((height, width), 255, np.uint8)
    compared = np.zeros((height, width), np.uint8)
    needed = min(len(others), 2)
    for planes, matrix, valid_planes in others:
        undecided = compared < needed
        if not undecided.any():
            break
        difference, valid = _difference(small, planes, matrix, valid_planes)
        if valid is not None:
            undecided &= valid > 0
        # Pixels for which this frame does not count get 255, which leaves their least difference unchanged.
        cv2.min(least, difference | (undecided.view(np.uint8) - np.uint8(1)), dst=least)
        compared += undecided
    comparable = compared >= max(needed, 1)
    least[~comparable] = 0
    level = cv2.blur(least, (3, 3))
    # 0 at half the threshold, 255 at one and a half times the threshold.
    ramp = np.clip((np.arange(256) - threshold / 2) / threshold * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(level, ramp), np.uint8), comparable


def in_focus(luma: Mask, *, block: int) -> Mask:
    """Compute a mask of the sharp parts of a luma plane.

    The mask is 0 to 255. Sharpness is the variance of the Laplacian over squares of `block` pixels, relative to its 90th percentile in the
    picture.
    """
    edges = cv2.Laplacian(luma, cv2.CV_32F, ksize=3)
    mean, square = cv2.blur(edges, (block, block)), cv2.blur(edges * edges, (block, block))
    variance = np.maximum(square - mean * mean, 0)
    sharpest = float(np.percentile(variance[::4, ::4], 90))
    if sharpest < 4:
        return np.zeros(luma.shape, np.uint8)
    return np.clip((variance / sharpest - 0.05) * (255 / 0.15), 0, 255).astype(np.uint8)


def focused(mask: Mask, luma: Mask, *, block: int) -> Mask:
    """Remove out-of-focus regions from a mask.

    A region is kept or removed as a whole, so the even inside of a sharp subject stays.
    """
    regions = mask > 63
    area = rectangle(regions)
    if area is None:
        return mask
    sharp = in_focus(luma, block=block)[area] > 127
    # Counting the pixels of labels takes half the time of OpenCV's statistics.
    count, labels = cv2.connectedComponents(regions[area].view(np.uint8), connectivity=8)
    sharp_enough = np.bincount(labels[sharp], minlength=count) >= _MIN_SHARP * np.bincount(labels.ravel(), minlength=count)
    sharp_enough[0] = True  # the faint rims around regions
    result = mask.copy()
    result[area][~sharp_enough[labels]] = 0
    return result


def _difference(small: Small, planes: Small, matrix: Matrix, valid_planes: Mask | None) -> tuple[Mask, Mask | None]:
    """Measure how `small` differs from another frame's `planes`, warped by `matrix`.

    A pixel's difference is its distance to the range of the nine nearest pixels of the other frame, summed over the planes. Also returns a
    mask of the pixels that are valid in the warped frame, 255 or 0; None if all are valid.
    """
    height, width = small.shape[:2]
    valid = valid_planes
    if planes.shape != small.shape or np.abs(matrix - _STILL).max() > 0.05:
        valid = _moved_validity(np.full(planes.shape[:2], 255, np.uint8) if valid is None else valid, matrix, (width, height))
        planes = moved_piece(planes, matrix, (width, height))
    low, high = cv2.erode(planes, _NOISE), cv2.dilate(planes, _NOISE)
    beyond = cv2.max(cv2.subtract(small, high), cv2.subtract(low, small))
    return np.asarray(reduce(cv2.add, cv2.split(beyond)), np.uint8), valid


def _moved_validity(valid: Mask, matrix: Matrix, size: tuple[int, int]) -> Mask:
    """Warp `valid`, a mask of valid pixels, by `matrix`.

    Pixels that interpolation mixes with invalid ones become invalid. `size`: width and height of the result.
    """
    moved = cv2.warpPerspective(valid, matrix, size, flags=cv2.INTER_NEAREST)
    return np.asarray(cv2.erode(moved, _MIXED, borderValue=255), np.uint8)


_THIN, _COMPACT = 0.1, 0.2
"""Areas of regions, divided by the square of their longer side. Below _THIN, a region is only an edge of a subject. _COMPACT is the area of
a person or an animal, which then counts in its place."""


def cleaned(mask: Mask) -> Mask:
    """Remove specks from a mask and fill its gaps and holes."""
    height, width = mask.shape
    regions = _regions(mask > 127, at_least=max(_MIN_REGION * height * width, 4))
    if not regions.any():
        return np.zeros_like(mask)
    core = cv2.dilate(regions.astype(np.uint8) * 255, _NOISE, iterations=2)
    reach = max(round(height * 0.012), 1) * 2 + 1
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx(cv2.min(mask, core), cv2.MORPH_CLOSE, shape)
    # An even surface does not change as it moves, so a subject's inside is a hole in the mask.
    holes = _regions(closed <= 127, at_most=_MAX_HOLE * height * width)
    closed[holes] = 255
    return np.asarray(cv2.blur(closed, (3, 3)), np.uint8)


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


def _regions(where: NDArray[np.bool_], *, at_least: float = 1, at_most: float = np.inf) -> NDArray[np.bool_]:
    """Return a mask of the regions of `where` with an area in a range.

    Regions are connected pixels. `at_least`, `at_most`: limits of the area in pixels.
    """
    _, labels = cv2.connectedComponents(where.view(np.uint8), connectivity=4)
    area = np.bincount(labels.ravel())
    in_range = (area >= at_least) & (area <= at_most)
    in_range[0] = False
    if not in_range.any():
        return np.zeros(where.shape, np.bool_)
    return where if in_range[1:].all() else np.asarray(in_range[labels], np.bool_)
