"""Film grain: measurement on the clip and addition to backgrounds."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_FLAT = 0.2  # share of the pixels that are measured: those with the least texture
_DARK, _BRIGHT = 24, 230  # levels between which pixels are measured: grain is weak in black and clipped in white
_MIN_GRAIN = 0.6  # standard deviation in levels below which no grain is added
_MAX_GRAIN = 8.0  # largest standard deviation of added grain, in levels
_TILE = 64  # pixels by which the noise picture is larger than a frame, so that each frame can take another part of it


def grain_of(luma: Plane, where: NDArray[np.bool_] | None = None) -> float:
    """Measure the standard deviation of a picture's grain.

    `luma`: uint8 (height, width). `where`: mask of the pixels to measure. Returns levels; 0 if fewer than 500 pixels can be used. The
    method is that of Immerkaer, Fast Noise Variance Estimation, 1996. It runs on the flattest fifth of the pixels, so that texture does not
    count as grain.
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

    The noise differs from frame to frame. A frame gets the same noise on every run.
    """

    def __init__(self, width: int, height: int, deviation: float) -> None:
        self.deviation = min(deviation, _MAX_GRAIN)
        self._size = width, height
        random = np.random.default_rng(1)
        shape = height + _TILE, width + _TILE
        noise = np.asarray(cv2.GaussianBlur(random.standard_normal(shape).astype(np.float32), (0, 0), 0.6), np.float32)
        whole = np.rint(noise * (self.deviation / max(float(noise.std()), 1e-6)))
        self._up = np.clip(whole, 0, 255).astype(np.uint8)
        self._down = np.clip(-whole, 0, 255).astype(np.uint8)

    def added(self, luma: Plane, number: int) -> Plane:
        """Add the grain of frame `number` to a luma plane."""
        if self.deviation < _MIN_GRAIN:
            return luma
        width, height = self._size
        left, top = number * 37 % _TILE, number * 23 % _TILE
        place = slice(top, top + height), slice(left, left + width)
        return np.asarray(cv2.subtract(cv2.add(luma, self._up[place]), self._down[place]), np.uint8)
