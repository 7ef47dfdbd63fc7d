"""Colour arithmetic of a keyer: how far the screen's channel stands above the other two."""

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

GREEN, BLUE = 1, 2
"""Index of the screen's channel in R, G, B."""


def others(channel: int) -> tuple[int, int]:
    """Return the two channels besides the screen's."""
    return (0, 2) if channel == GREEN else (0, 1)


def limit_of(rgb: NDArray[np.float32], channel: int, balance: float) -> NDArray[np.float32]:
    """Return what the screen's channel of a colour without spill is at most: `balance` 1 the larger of the others, 0 the smaller.

    `rgb`: (..., 3) float32.
    """
    first, second = (rgb[..., other] for other in others(channel))
    if balance >= 1:
        return np.maximum(first, second)
    larger = np.maximum(first, second)
    return larger + np.float32(1 - balance) * (np.minimum(first, second) - larger)


def excess(rgb: NDArray[np.float32], channel: int, balance: float = 1.0) -> NDArray[np.float32]:
    """Return how far the screen's channel stands above its limit, (...) float32, negative where it does not."""
    return rgb[..., channel] - limit_of(rgb, channel, balance)


def excess8(rgb: Rgb, channel: int, balance: float = 1.0) -> NDArray[np.uint8]:
    """Return the excess of an 8-bit picture, (H, W) uint8, 0 where it is negative. A fraction of the cost of `excess`."""
    first, second = (cv2.extractChannel(rgb, other) for other in others(channel))
    limit = cv2.max(first, second)
    if balance < 1:
        limit = cv2.addWeighted(limit, balance, cv2.min(first, second), 1 - balance, 0)
    return np.asarray(cv2.subtract(cv2.extractChannel(rgb, channel), limit), np.uint8)
