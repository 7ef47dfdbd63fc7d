"""Rating of a picture's exposure."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

MIDDLE, TOLERANCE = 0.45, 0.28
"""Best median brightness, 0 to 1, and the distance from it rated 0.6."""

DARK, BRIGHT = 8, 247
"""Levels of clipped pixels, 0 to 255. Up to DARK shadows are clipped, from BRIGHT on highlights."""

FREE = 0.05
"""Largest share of clipped pixels that does not lower the rating. Examples are a night sky and a lamp."""

CONTRAST = 0.12
"""Minimum standard deviation of brightness, 0 to 1, of a picture with full contrast."""


def exposure(luma: NDArray[np.uint8]) -> float:
    """Rate the exposure of a picture from 0 (bad) to 1 (good).

    `luma`: (height, width) uint8, 0 (black) to 255 (white). Well exposed pictures have a median in the middle, little clipping and some
    contrast.
    """
    histogram = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel().astype(np.float64) / luma.size
    values = np.arange(256) / 255
    median = float(values[int(np.searchsorted(np.cumsum(histogram), 0.5))])
    level = math.exp(-0.5 * ((median - MIDDLE) / TOLERANCE) ** 2)
    clipped = max(float(histogram[: DARK + 1].sum() + histogram[BRIGHT:].sum()) - FREE, 0.0) / (1 - FREE)
    mean = float(histogram @ values)
    deviation = math.sqrt(max(float(histogram @ (values - mean) ** 2), 0.0))
    return level * (1 - clipped) * min(deviation / CONTRAST, 1.0)
