"""Estimates of light direction and camera height for prompts."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

LightFrom = Literal["left", "right", "above", "below", "front"]
CameraHeight = Literal["low", "eye level", "high", "unknown"]

_CENTRED = 0.04
"""Shift of the centre of brightness below which light counts as frontal. It is a share of the picture's width or height."""
_LOW, _HIGH = 0.45, 1.1  # camera height in subject heights: below the first it is low, above the second it is high
_OPAQUE = 127  # level of the matte, 0 to 255, above which a pixel belongs to the subject


class BrightBackground:
    """Running mean of the background's luma, which shows where the light comes from."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._count: NDArray[np.float64] | None = None

    def add(self, luma: NDArray[np.uint8], matte: NDArray[np.uint8]) -> None:
        """Add a frame: luma and matte, both uint8 (height, width)."""
        free = (matte < 8).astype(np.float64)
        if self._sum is None or self._count is None:
            self._sum, self._count = np.zeros(luma.shape), np.zeros(luma.shape)
        self._sum += luma * free
        self._count += free

    def light_from(self) -> LightFrom:
        """Return the direction that the light comes from.

        The background's centre of brightness is shifted in that direction. Returns `front` if the shift is small.
        """
        if self._sum is None or self._count is None or not self._count.any():
            return "front"
        visible = self._count > 0
        mean = np.where(visible, self._sum / np.maximum(self._count, 1), 0)
        # Bright places have to dominate: the weight is the square of the luma above the darkest tenth.
        weight = np.where(visible, np.maximum(mean - np.quantile(mean[visible], 0.1), 0) ** 2, 0)
        if weight.sum() <= 0:
            return "front"
        rows, columns = (np.arange(size) / max(size - 1, 1) for size in weight.shape)
        across = float((weight.sum(axis=0) * columns).sum() / weight.sum() - (visible.sum(axis=0) * columns).sum() / visible.sum())
        down = float((weight.sum(axis=1) * rows).sum() / weight.sum() - (visible.sum(axis=1) * rows).sum() / visible.sum())
        if max(abs(across), abs(down)) < _CENTRED:
            return "front"
        if abs(across) >= abs(down):
            return "left" if across < 0 else "right"
        return "above" if down < 0 else "below"


def height_share(matte: NDArray[np.uint8]) -> float:
    """Estimate the camera's height from a matte, in subject heights.

    `matte`: uint8 (h, w), of one frame. Returns nan if head or feet are cut off. The horizon of a level camera lies in the middle of the
    picture, and crosses the subject at the height of the camera (Criminisi et al., Single View Metrology, 2000).
    """
    rows = np.flatnonzero((matte > _OPAQUE).any(axis=1))
    height = matte.shape[0]
    if len(rows) < max(height * 0.1, 2) or rows[0] < 1 or rows[-1] >= height - 2:
        return float("nan")
    return float((rows[-1] - (height - 1) / 2) / (rows[-1] - rows[0]))


def camera_height(shares: NDArray[np.float64]) -> CameraHeight:
    """Classify the camera's height from its heights in the frames.

    `shares`: result of `height_share` for each frame.
    """
    numbers = shares[np.isfinite(shares)]
    if not len(numbers):
        return "unknown"
    middle = float(np.median(numbers))
    return "low" if middle < _LOW else "high" if middle > _HIGH else "eye level"
