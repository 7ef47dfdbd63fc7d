"""How sharp a picture is, in each direction."""

import cv2
import numpy as np
from numpy.typing import NDArray

_WINDOW = 9
"""Pixels of the blur that a picture is compared with, as in the paper."""

_DIAGONAL = 7
"""The same length along a diagonal, where pixels lie further apart."""

DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Rows down and columns to the right: across, down one diagonal, downwards, down the other."""


def directional_sharpness(luma: NDArray[np.uint8]) -> tuple[float, ...]:
    """How sharp a picture is along each of DIRECTIONS, from 0 (blurred throughout) to 1.

    `luma`: (height, width) uint8, at least 16 pixels each way. A sharp picture loses much of the difference between neighbouring pixels
    when it is blurred once more, a blurred one loses little. A picture without any structure has 0. Source: Crete, Dolmiere, Ladret,
    Nicolas, "The blur effect: perception and estimation with a new no-reference perceptual blur metric", 2007; these are 1 minus their
    figure, and the diagonals are looked at, too.
    """
    plane = luma.astype(np.float32)
    return tuple(_along(plane, down, right) for down, right in DIRECTIONS)


def _along(plane: NDArray[np.float32], down: int, right: int) -> float:
    softer = cv2.filter2D(plane, -1, _line(down, right), borderType=cv2.BORDER_REPLICATE)
    before, after = _step(plane, down, right), _step(softer, down, right)
    total = float(before.sum())
    return float(np.maximum(before - after, 0).sum()) / total if total > 0 else 0.0


def _line(down: int, right: int) -> NDArray[np.float32]:
    """A blur along one direction."""
    if not down:
        return np.full((1, _WINDOW), 1 / _WINDOW, np.float32)
    if not right:
        return np.full((_WINDOW, 1), 1 / _WINDOW, np.float32)
    diagonal = np.diag(np.full(_DIAGONAL, 1 / _DIAGONAL, np.float32))
    return diagonal if right > 0 else diagonal[:, ::-1].copy()


def _step(plane: NDArray[np.float32], down: int, right: int) -> NDArray[np.float32]:
    """The difference of each pixel from its neighbour in a direction."""
    height, width = plane.shape
    here = plane[: height - down, max(-right, 0) : width - max(right, 0)]
    there = plane[down:, max(right, 0) : width - max(-right, 0)]
    return np.abs(there - here)
