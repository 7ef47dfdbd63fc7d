"""How noisy a picture is."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_BLOCK = 16
_CALMEST = 0.2
_MEDIAN = 0.6745
"""The median of the absolute values of a normal distribution, in standard deviations."""

NOISY = 12.0
"""The noise, in 8-bit steps, at which cleanness has fallen to about a third."""


def noise_level(luma: NDArray[np.uint8]) -> float:
    """The standard deviation of a picture's noise, in steps of 8 bits.

    `luma`: (height, width) uint8, not scaled (which would average the noise away), at least 16 pixels each way. Source: Immerkaer, "Fast
    noise variance estimation", 1996: a mask that answers to neither flat areas nor edges; it is taken in blocks here, of each the
    median, which edges do not move, and the calmest fifth of them decides, since texture answers to the mask, too.
    """
    answer = np.abs(cv2.filter2D(luma, cv2.CV_32F, _MASK))[1:-1, 1:-1]
    side = min(_BLOCK, *answer.shape)
    height, width = answer.shape[0] // side, answer.shape[1] // side
    blocks = answer[: height * side, : width * side].reshape(height, side, width, side).swapaxes(1, 2).reshape(height * width, -1)
    return float(np.quantile(np.median(blocks, axis=1), _CALMEST)) / _MEDIAN / 6


def cleanness(luma: NDArray[np.uint8]) -> float:
    """How free of noise a picture is, from 0 to 1; `luma` as `noise_level` takes it."""
    return math.exp(-noise_level(luma) / NOISY)
