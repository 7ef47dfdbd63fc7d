"""Film grain: measurement on the clip and addition to backgrounds."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_FLAT = 0.2
_DARK, _BRIGHT = 24, 230
_LEAST = 0.6
_MOST = 8.0
_TILE = 64


def grain_of(luma: Plane, where: NDArray[np.bool_] | None = None) -> float:
    """Measure the standard deviation of a picture's grain.

    Returns the standard deviation of the noise in levels; 0 if fewer than 500 pixels can be used. `luma`: uint8 (height, width); `where`:
    the pixels to measure. The method is that of Immerkaer, Fast Noise Variance Estimation, 1996, on the flattest fifth of the pixels, so
    that texture does not count as grain.
    """
    values = luma.astype(np.float32)
    noise = np.abs(cv2.filter2D(values, -1, _KERNEL)) * np.sqrt(np.pi / 2) / 6
    slope = np.abs(cv2.Sobel(values, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(values, cv2.CV_32F, 0, 1))
    slope = cv2.blur(slope, (9, 9))
    counted = (values > _DARK) & (values < _BRIGHT)
    if where is not None:
        counted &= where
    if counted.sum() < 500:
        return 0.0
    counted &= slope <= np.quantile(slope[counted], _FLAT)
    return float(noise[counted].mean()) if counted.any() else 0.0


class Grain:
    """Film grain of a given standard deviation.

    The noise depends on the frame number and is the same on every run.
    """

    def __init__(self, width: int, height: int, deviation: float) -> None:
        self.deviation = min(deviation, _MOST)
        self._size = width, height
        random = np.random.default_rng(1)
        shape = height + _TILE, width + _TILE
        noise = np.asarray(cv2.GaussianBlur(random.standard_normal(shape).astype(np.float32), (0, 0), 0.6), np.float32)
        whole = np.rint(noise * (self.deviation / max(float(noise.std()), 1e-6)))
        self._up = np.clip(whole, 0, 255).astype(np.uint8)
        self._down = np.clip(-whole, 0, 255).astype(np.uint8)

    def added(self, luma: Plane, number: int) -> Plane:
        """Add the grain of frame `number` to a luma plane."""
        if self.deviation < _LEAST:
            return luma
        width, height = self._size
        left, top = number * 37 % _TILE, number * 23 % _TILE
        place = slice(top, top + height), slice(left, left + width)
        return np.asarray(cv2.subtract(cv2.add(luma, self._up[place]), self._down[place]), np.uint8)
