"""Smooth filling of a picture's unknown parts from the known parts.

Push-pull of Gortler, Grzeszczuk, Szeliski and Cohen ("The Lumigraph", SIGGRAPH 1996): known values are averaged into ever smaller pictures,
and unknown pixels take the value of the next smaller picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]

_COARSE_TRUST = 4.0
"""A coarse pixel counts as fully known from 1 / _COARSE_TRUST known pixels on."""


def push_pull(picture: Picture, weight: Picture) -> Picture:
    """Fill pixels of weight 0 from their surroundings.

    `picture`: float32 (height, width, channels). `weight`: float32 (height, width), 0 unknown to 1 known; values between mix the pixel with
    its filling. Where nothing is known, the result is 0.
    """
    if weight.min() >= 1:
        return picture.copy()
    height, width = weight.shape
    result = picture * weight[..., None]
    if min(height, width) <= 2:
        mean = result.sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight[..., None] > 1e-3, picture, mean).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    coarse_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    sums = np.asarray(cv2.resize(result, size, interpolation=cv2.INTER_AREA), np.float32).reshape(size[1], size[0], -1)
    coarse = np.asarray(sums / np.maximum(coarse_weight, 1e-6)[..., None], np.float32)
    filled = push_pull(coarse, np.asarray(np.minimum(coarse_weight * _COARSE_TRUST, 1), np.float32))
    result += cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR).reshape(result.shape) * (1 - weight)[..., None]
    return result
