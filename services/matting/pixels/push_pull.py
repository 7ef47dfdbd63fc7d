"""Fill the unknown parts of a picture smoothly from the known ones.

The push-pull method of Gortler, Grzeszczuk, Szeliski and Cohen ("The Lumigraph", SIGGRAPH 1996): averages of known values in ever
smaller pictures, handed back down to where nothing is known.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]

_COARSE_TRUST = 4.0
"""A coarse pixel of which this inverse share is known counts as fully known."""


def fill(picture: Picture, weight: Picture) -> Picture:
    """Return `picture` (H, W, C) with values of weight 0 filled in; `weight` (H, W) is 0..1, partial weights mix.

    Nothing known at all gives zeros.
    """
    height, width = weight.shape
    known = picture * weight[..., None]
    if min(height, width) <= 2:
        mean = known.sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight[..., None] > 1e-3, picture, mean).astype(np.float32)
    size = ((width + 1) // 2, (height + 1) // 2)
    coarse_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    sums = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA), np.float32)
    coarse = np.asarray(sums / np.maximum(coarse_weight, 1e-6)[..., None], np.float32)
    filled = fill(coarse, np.asarray(np.minimum(coarse_weight * _COARSE_TRUST, 1), np.float32))
    known += cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR) * (1 - weight)[..., None]
    return known
