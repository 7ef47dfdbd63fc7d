"""Sharpness of a picture in each direction."""

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW = 9
"""Length in pixels of the added blur, as in the paper."""

_DIAGONAL = 7
"""Length in pixels of the added blur along a diagonal, where pixels are further apart."""

DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Steps (rows down, columns right): horizontal, one diagonal, vertical, the other diagonal."""


def directional_sharpness(luma: NDArray[np.uint8]) -> tuple[float, ...]:
    """Rate the sharpness of a picture along each of DIRECTIONS.

    `luma`: (height, width) uint8, at least 16 pixels each way. Returns 0 (blurred, or without structure) to 1 for each direction. Added
    blur removes much of the difference between neighbouring pixels from a sharp picture, but little from a blurred one. Source: Crete,
    Dolmiere, Ladret, Nicolas, "The blur effect: perception and estimation with a new no-reference perceptual blur metric", 2007. Unlike
    there, the result is 1 minus the metric, and includes the diagonals.
    """
    plane = luma.astype(np.float32)
    return tuple(_along(plane, down, right) for down, right in DIRECTIONS)


def _along(plane: NDArray[np.float32], down: int, right: int) -> float:
    before = _step(plane, down, right)
    after = _step(_softer(plane, down, right), down, right)
    lost = cv2.subtract(before, after, dst=after)
    kept_positive = cv2.threshold(lost, 0, 0, cv2.THRESH_TOZERO, dst=lost)[1]
    total = cv2.sumElems(before)[0]
    return cv2.sumElems(kept_positive)[0] / total if total > 0 else 0.0


def _softer(plane: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """Blur a picture along one direction."""
    if down and right:
        diagonal = np.diag(np.full(_DIAGONAL, 1 / _DIAGONAL, np.float32))
        line = diagonal if right > 0 else diagonal[:, ::-1].copy()
        return np.asarray(cv2.filter2D(plane, -1, line, borderType=cv2.BORDER_REPLICATE), np.float32)
    size = (1, _WINDOW) if down else (_WINDOW, 1)
    return np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REPLICATE), np.float32)


def _step(plane: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """Return the absolute difference between each pixel and its neighbour in a direction."""
    height, width = plane.shape
    here = plane[: height - down, max(-right, 0) : width - max(right, 0)]
    there = plane[down:, max(right, 0) : width - max(-right, 0)]
    return np.asarray(cv2.absdiff(there, here), np.float32)
