"""How well a picture is exposed."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

MIDDLE, TOLERANCE = 0.45, 0.28
"""The median brightness of a well exposed picture, and how far from it a picture may be for the level to fall to 0.6."""

DARK, BRIGHT = 8, 247
"""Values up to the first and from the second on count as clipped."""

FREE = 0.05
"""The share of clipped pixels that costs nothing: a night sky, a lamp."""

CONTRAST = 0.12
"""The standard deviation of brightness from which on a picture is not flat."""


def exposure(luma: NDArray[np.uint8]) -> float:
    """How well a picture is exposed, from 0 to 1: its median is in the middle, little is clipped, and it has some contrast.

    `luma`: (height, width) uint8 from 0 (black) to 255 (white).
    """
    histogram = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel().astype(np.float64) / luma.size
    values = np.arange(256) / 255
    median = float(values[int(np.searchsorted(np.cumsum(histogram), 0.5))])
    level = math.exp(-0.5 * ((median - MIDDLE) / TOLERANCE) ** 2)
    clipped = max(float(histogram[: DARK + 1].sum() + histogram[BRIGHT:].sum()) - FREE, 0.0) / (1 - FREE)
    mean = float(histogram @ values)
    deviation = math.sqrt(max(float(histogram @ (values - mean) ** 2), 0.0))
    return level * (1 - clipped) * min(deviation / CONTRAST, 1.0)
