"""Removal of small separate blobs from a matte."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_REDUCED = 4
_SOLID = 64


def without_stray_blobs(alpha: Plane, share: float) -> Plane:
    """Remove blobs smaller than `share` of the largest blob.

    `alpha`: uint8 (height, width); `share`: 0 to 1, 0 keeps all. Blobs are labelled at a quarter of the size. Pixels that touch a kept blob
    stay.
    """
    if share <= 0:
        return alpha
    size = max(alpha.shape[1] // _REDUCED, 1), max(alpha.shape[0] // _REDUCED, 1)
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((small > _SOLID).astype(np.uint8), connectivity=8)
    if count <= 2:
        return alpha
    area = stats[:, cv2.CC_STAT_AREA]
    stray = area < share * area[1:].max()
    stray[0] = False
    if not stray.any():
        return alpha
    kept = cv2.dilate(((labels > 0) & ~stray[labels]).astype(np.uint8), np.ones((3, 3), np.uint8))
    near = cv2.dilate(stray[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    gone = np.where((near > 0) & (kept == 0), 0, 255).astype(np.uint8)
    keep = cv2.resize(gone, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.min(alpha, keep), np.uint8)
