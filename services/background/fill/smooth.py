"""Holes filled from a pyramid of means (pull-push)."""

import cv2
import numpy as np
from numpy.typing import NDArray

_KNOWN = 1e-3


def pull_push(picture: NDArray[np.float32], known: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return `picture` with its unknown pixels filled smoothly.

    `picture`: float32 (height, width, channels); `known`: uint8 (height, width), not 0 where the picture is known, and those pixels stay
    as they are. Known pixels are averaged down until no hole is left (pull), and holes are filled from there (push): Gortler et al., The
    Lumigraph, 1996. With nothing known the picture is 0.
    """
    weight = (known > 0).astype(np.float32)
    if weight.all():
        return picture
    values = picture * weight[..., None]
    if min(weight.shape) <= 2 or not weight.any():
        mean = values.reshape(-1, picture.shape[2]).sum(axis=0) / max(float(weight.sum()), 1e-6)
        return np.where(weight[..., None] > 0, picture, mean).astype(np.float32)
    size = (weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2
    small_weight = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    small = small / np.maximum(small_weight, 1e-6)[..., None]
    small = pull_push(np.asarray(small, np.float32), (small_weight > _KNOWN).astype(np.uint8))
    large = cv2.resize(small, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(picture.shape)
    return np.where(weight[..., None] > 0, picture, large).astype(np.float32)


def fill_smooth(picture: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill holes of an RGB picture, uint8 (height, width, 3); `hole`: uint8 (height, width), 255 where there is one."""
    filled = pull_push(picture.astype(np.float32), (hole == 0).astype(np.uint8))
    return np.clip(np.rint(filled), 0, 255).astype(np.uint8)
