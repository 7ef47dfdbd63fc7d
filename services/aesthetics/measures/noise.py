"""Noise level of a picture, and denoising."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_BLOCK = 16  # side in pixels of a block whose noise is measured
_CALMEST = 0.2  # quantile of the blocks' noise that counts as the picture's noise: calm blocks have no texture
_MEDIAN = 0.6745
"""Median absolute value of a normal distribution, in standard deviations."""

_WINDOW, _SPREAD = 5, 2.0
"""Window side in pixels, and largest variance in a window that counts as noise. The variance is in multiples of the noise's variance."""
_FAINT = 1.5
"""Noise, in 8-bit levels, below which a picture is not denoised. Fine detail varies as little as such noise."""

NOISY = 12.0
"""Noise in 8-bit levels at which cleanness is about a third."""


def noise_level(luma: NDArray[np.uint8]) -> float:
    """Estimate the standard deviation of a picture's noise, in 8-bit levels.

    `luma`: (height, width) uint8, at least 16 pixels each way, unscaled, because scaling averages noise away. Source: Immerkaer, "Fast
    noise variance estimation", 1996, whose mask ignores flat areas and edges. Unlike there, the result is the 20th percentile of the
    medians of blocks: medians ignore the remaining edges, and a low percentile ignores texture, which the mask does not.
    """
    response = np.abs(cv2.filter2D(luma, cv2.CV_32F, _MASK))[1:-1, 1:-1]
    side = min(_BLOCK, *response.shape)
    height, width = response.shape[0] // side, response.shape[1] // side
    blocks = response[: height * side, : width * side].reshape(height, side, width, side).swapaxes(1, 2).reshape(height * width, -1)
    return float(np.quantile(np.median(blocks, axis=1), _CALMEST)) / _MEDIAN / 6


def without_noise(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture without its noise, but with its edges.

    `luma`: as for `noise_level`. A picture with little noise is returned unchanged. Source: Lee, "Digital image enhancement and noise
    filtering by use of local statistics", 1980: where a picture varies around its mean no more than noise does, it becomes the mean.
    """
    level = noise_level(luma)
    if level < _FAINT:
        return luma
    plane = luma.astype(np.float32)
    mean = cv2.blur(plane, (_WINDOW, _WINDOW))
    variance = cv2.blur(plane * plane, (_WINDOW, _WINDOW)) - mean * mean
    noise = np.float32(_SPREAD * level**2)
    shares = np.maximum(variance - noise, 0) / np.maximum(variance, noise)
    return np.rint(mean + shares * (plane - mean)).clip(0, 255).astype(np.uint8)


def cleanness(luma: NDArray[np.uint8]) -> float:
    """Rate the absence of noise from 0 (noisy) to 1 (clean).

    `luma`: as for `noise_level`.
    """
    return math.exp(-noise_level(luma) / NOISY)
