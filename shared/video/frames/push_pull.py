"""Smooth filling of holes in a picture from the pixels around them (push-pull).

Push-pull of Gortler, Grzeszczuk, Szeliski and Cohen ("The Lumigraph", SIGGRAPH 1996): known values are averaged into ever smaller pictures,
and unknown pixels take the value of the next smaller picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]

_COARSE_TRUST = 4.0
"""Factor on the weights of a reduced picture. A pixel of it counts fully if a quarter of its area is known."""


def push_pull(picture: Picture, weight: Picture) -> Picture:
    """Fill pixels of weight 0 smoothly from their surroundings.

    `picture`: float32 (height, width, channels). `weight`: float32 (height, width), 0 unknown to 1 known; values between mix the pixel with
    its filling. Where nothing is known, the result is 0.
    """
    if weight.min() >= 1:
        return picture.copy()
    height, width = weight.shape
    if min(height, width) <= 2:
        mean = (picture * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight[..., None] > 1e-3, picture, mean).astype(np.float32)
    share = _per_channel(weight, picture.shape[2])
    result = picture * share
    size = ((width + 1) // 2, (height + 1) // 2)
    coarse_weight = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    coarse = np.asarray(cv2.resize(result, size, interpolation=cv2.INTER_AREA), np.float32).reshape(size[1], size[0], -1)
    coarse /= _per_channel(np.maximum(coarse_weight, 1e-6), coarse.shape[2])
    filled = push_pull(coarse, np.asarray(np.minimum(coarse_weight * _COARSE_TRUST, 1), np.float32))
    filled = np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), np.float32).reshape(result.shape)
    filled *= np.subtract(1, share, out=share)
    result += filled
    return result


def _per_channel(weight: Picture, channels: int) -> Picture:
    """Repeat a weight plane for each colour channel.

    NumPy multiplies arrays of one shape much faster than it broadcasts the last axis.
    """
    return np.asarray(cv2.merge([weight] * channels), np.float32).reshape(*weight.shape, channels)
