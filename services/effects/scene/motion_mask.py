"""What moves in a frame: a soft mask from differences to camera-aligned frames before and after it."""

from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.warp import moved_piece
from shared.motion.camera import Matrix

Small = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_NOISE = np.ones((3, 3), np.uint8)
_SPECKLE = 0.0004
"""Least part of the picture that a moving thing takes up; what is smaller is noise."""
_LEAST_SHARP = 0.2
"""Part of a moving region that has to be in focus."""
_HOLE = 0.03
"""Largest part of the picture that is taken for the inside of a moving thing because it is enclosed."""


def moving(small: Small, others: list[tuple[Small, Matrix]], *, threshold: int) -> Mask:
    """What moves in a picture, 0 to 255, from Y, U, V as uint8 (height, width, 3).

    `others`: planes of other frames of the shot with the matrix that takes their pixels to this picture's, the best witnesses first. Moving
    is what differs from the first two that were looking there (that is where the subject is; where it was or will be, one of them agrees)
    by more than `threshold` levels, luma and chroma together; half of it counts a little, one and a half in full. A value within the range
    of the nine pixels around it does not differ, which forgives errors of alignment by a pixel. Where fewer than two others were
    looking, nothing moves; a single other frame is believed.
    """
    height, width = small.shape[:2]
    everywhere = np.full((height, width), 255, np.uint8)
    return solid(differing(small, [(planes, matrix, everywhere) for planes, matrix in others], threshold=threshold)[0])


def differing(small: Small, others: list[tuple[Small, Matrix, Mask]], *, threshold: int) -> tuple[Mask, NDArray[np.bool_]]:
    """What `moving` says, before gaps are closed, and where it can be told; others come with where they looked (255)."""
    height, width = small.shape[:2]
    least = np.full((height, width), 255, np.uint8)
    heard = np.zeros((height, width), np.uint8)
    needed = min(len(others), 2)
    for planes, matrix, looked in others:
        asked = heard < needed
        if not asked.any():
            break
        difference, valid = _difference(small, planes, matrix, looked)
        asked &= valid > 0
        least = np.where(asked, np.minimum(least, difference), least)
        heard += asked
    told = heard >= max(needed, 1)
    least[~told] = 0
    level = cv2.blur(least, (3, 3))
    # In steps of the mask: 0 at half of the threshold, 255 at one and a half.
    steps = np.clip((np.arange(256) - threshold / 2) / threshold * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(level, steps), np.uint8), told


def in_focus(luma: Mask, *, block: int) -> Mask:
    """Where a luma picture is sharp, 0 to 255: variance of the Laplacian over squares of `block` pixels, against the sharpest tenth."""
    edges = cv2.Laplacian(luma, cv2.CV_32F, ksize=3)
    mean, square = cv2.blur(edges, (block, block)), cv2.blur(edges * edges, (block, block))
    variance = np.maximum(square - mean * mean, 0)
    sharpest = float(np.percentile(variance[::4, ::4], 90))
    if sharpest < 4:
        return np.zeros(luma.shape, np.uint8)  # nothing is
    return np.clip((variance / sharpest - 0.05) * (255 / 0.15), 0, 255).astype(np.uint8)


def focused(mask: Mask, luma: Mask, *, block: int) -> Mask:
    """A mask without its regions that are out of focus. The even inside of a sharp thing belongs to it."""
    sharp = in_focus(luma, block=block) > 127
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 63).astype(np.uint8), connectivity=8)
    kept = np.bincount(labels[sharp], minlength=count) >= _LEAST_SHARP * stats[:, cv2.CC_STAT_AREA]
    kept[0] = True  # the faint rim around what is kept, and the noise that nothing is made of
    return np.where(kept[labels], mask, 0).astype(np.uint8)


def _difference(small: Small, planes: Small, matrix: Matrix, looked: Mask) -> tuple[Mask, Mask]:
    """By how much a picture leaves what another one has around each pixel, and where that one looked (255)."""
    height, width = small.shape[:2]
    valid = looked
    if planes.shape != small.shape or not np.allclose(matrix, np.eye(3), atol=0.05):
        planes = moved_piece(planes, matrix, (width, height))
        valid = cv2.warpPerspective(looked, matrix, (width, height), flags=cv2.INTER_NEAREST)  # type: ignore[assignment]
        # What is next to where it did not look was mixed with nothing.
        valid = cv2.erode(valid, np.ones((5, 5), np.uint8), borderValue=255)  # type: ignore[assignment]
    low, high = cv2.erode(planes, _NOISE), cv2.dilate(planes, _NOISE)
    beyond = cv2.max(cv2.subtract(small, high), cv2.subtract(low, small))
    return np.asarray(reduce(cv2.add, cv2.split(beyond)), np.uint8), valid


def solid(mask: Mask) -> Mask:
    """A mask without specks, and with gaps and holes closed."""
    height, width = mask.shape
    kept = _regions(mask > 127, at_least=max(_SPECKLE * height * width, 4))
    if not kept.any():
        return np.zeros_like(mask)
    core = cv2.dilate(kept.astype(np.uint8) * 255, _NOISE, iterations=2)
    reach = max(round(height * 0.012), 1) * 2 + 1
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx(cv2.min(mask, core), cv2.MORPH_CLOSE, shape)
    # An even surface does not change as it moves: what is enclosed by its edges belongs to it.
    holes = _regions(closed <= 127, at_most=_HOLE * height * width)
    closed[holes] = 255
    return cv2.blur(closed, (3, 3))


def regions_with(where: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected regions of an area that hold one of the `seeds` at least."""
    count, labels = cv2.connectedComponents(where.astype(np.uint8), connectivity=4)
    kept = np.bincount(labels[seeds], minlength=count) > 0
    kept[0] = False
    return np.asarray(kept[labels], np.bool_)


def _regions(where: NDArray[np.bool_], *, at_least: float = 1, at_most: float = np.inf) -> NDArray[np.bool_]:
    """The connected regions of an area that are as large, in pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8), connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA]
    kept = (area >= at_least) & (area <= at_most)
    kept[0] = False
    return np.asarray(kept[labels], np.bool_)
