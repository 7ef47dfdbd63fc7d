"""Colour arithmetic of the chroma keyer.

The keyer measures the excess of the screen's channel over the other two.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

GREEN, BLUE = 1, 2
"""Index of the screen's channel in R, G, B."""


def others(channel: int) -> tuple[int, int]:
    """Return the two channels other than the screen's channel."""
    return (0, 2) if channel == GREEN else (0, 1)


def limit_of(rgb: NDArray[np.float32], channel: int, balance: float) -> NDArray[np.float32]:
    """Return the value above which the screen's `channel` counts as spill.

    Spill is light of the screen on the subject. `rgb`: (..., 3) float32. `balance`: 1 returns the larger of the two other channels, 0 the
    smaller; other values return a mix of both.
    """
    first, second = (rgb[..., index] for index in others(channel))
    if balance >= 1:
        return np.maximum(first, second)
    larger = np.maximum(first, second)
    return larger + np.float32(1 - balance) * (np.minimum(first, second) - larger)


def excess(rgb: NDArray[np.float32], channel: int, balance: float = 1.0) -> NDArray[np.float32]:
    """Return how far the screen's `channel` exceeds its limit, `limit_of`.

    Returns (...) float32, positive where the colour has spill or is the screen.
    """
    return rgb[..., channel] - limit_of(rgb, channel, balance)


def excess8(rgb: Rgb, channel: int, balance: float = 1.0) -> NDArray[np.uint8]:
    """Return the `excess` of an 8-bit picture, 0 where it would be negative.

    Returns (H, W) uint8. Much faster than `excess`.
    """
    first, second = (cv2.extractChannel(rgb, index) for index in others(channel))
    limit = cv2.max(first, second)
    if balance < 1:
        limit = cv2.addWeighted(limit, balance, cv2.min(first, second), 1 - balance, 0)
    return np.asarray(cv2.subtract(cv2.extractChannel(rgb, channel), limit), np.uint8)
