"""Sharpness of a picture in each direction and in its sharpest region."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW = 9
"""Length in pixels of the added blur, as in the paper cited at `sharpness`."""

_DIAGONAL = 7
"""Length in pixels of the added blur along a diagonal. It is smaller, because pixels are farther apart along a diagonal."""

DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Steps (rows down, columns right): horizontal, one diagonal, vertical, the other diagonal."""

_AREAS = (16, 12)
"""Columns and rows of the grid of areas searched for the sharpest part."""
_SHARPEST = 0.9  # quantile of the areas' sharpness that counts as the sharpness of the sharpest part
_STRUCTURE = 2.0
"""Mean difference of neighbouring pixels, in levels, above which an area has structure. Less is noise and compression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpness:
    """Sharpness of a picture from 0 (blurred or featureless) to 1.

    `directions`: sharpness of the whole picture along each of DIRECTIONS. `focus`: sharpness of the sharpest part over all directions.
    """

    directions: tuple[float, ...]
    focus: float


def sharpness(luma: NDArray[np.uint8]) -> Sharpness:
    """Rate the sharpness of a picture from its luma.

    `luma`: (height, width) uint8, at least 16 pixels each way. Added blur removes much of the difference between neighbouring pixels from a
    sharp picture, but little from a blurred one. Source: Crete, Dolmiere, Ladret, Nicolas, "The blur effect: perception and estimation with
    a new no-reference perceptual blur metric", 2007. Unlike there, the result is 1 minus the metric, and includes the diagonals and the
    sharpest part, because a close-up is sharp in a part only.
    """
    plane = luma.astype(np.float32)
    directions, areas = [], []
    for down, right in DIRECTIONS:
        before, lost = _along(plane, down, right)
        total = cv2.sumElems(before)[0]
        directions.append(cv2.sumElems(lost)[0] / total if total > 0 else 0.0)
        areas.append(np.stack([cv2.resize(part, _AREAS, interpolation=cv2.INTER_AREA) for part in (before, lost)]))
    before, lost = np.sum(areas, axis=0) / len(DIRECTIONS)
    structured = before > max(_STRUCTURE, float(np.median(before)))
    ratios = lost[structured] / before[structured]
    return Sharpness(directions=tuple(directions), focus=float(np.quantile(ratios, _SHARPEST)) if ratios.size else 0.0)


def _along(plane: NDArray[np.float32], down: int, right: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each pixel's difference from its neighbour, and by how much blurring reduces it.

    The neighbour lies `down` rows and `right` columns away. The blur is along this direction.
    """
    before = _step(plane, down, right)
    after = _step(_softer(plane, down, right), down, right)
    lost = cv2.subtract(before, after, dst=after)
    return before, np.asarray(cv2.threshold(lost, 0, 0, cv2.THRESH_TOZERO, dst=lost)[1], np.float32)


def _softer(plane: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """Blur a picture along a direction: `down` rows and `right` columns per step."""
    if down and right:
        diagonal = np.diag(np.full(_DIAGONAL, 1 / _DIAGONAL, np.float32))
        line = diagonal if right > 0 else diagonal[:, ::-1].copy()
        return np.asarray(cv2.filter2D(plane, -1, line, borderType=cv2.BORDER_REPLICATE), np.float32)
    size = (1, _WINDOW) if down else (_WINDOW, 1)
    return np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REPLICATE), np.float32)


def _step(plane: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """Return each pixel's absolute difference from its neighbour.

    The neighbour lies `down` rows and `right` columns away.
    """
    height, width = plane.shape
    pixels = plane[: height - down, max(-right, 0) : width - max(right, 0)]
    neighbours = plane[down:, max(right, 0) : width - max(-right, 0)]
    return np.asarray(cv2.absdiff(neighbours, pixels), np.float32)
