"""Guided filter (He, Sun and Tang, "Guided Image Filtering", ECCV 2010)."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def guided(guide: Plane, plane: Plane, radius: int, smoothing: float) -> Plane:
    """Smooth a plane while following the edges of `guide`.

    `guide`: (h, w) 0..1; `plane`: (h, w). The result is a linear function of the guide in each window of `radius` pixels. `smoothing`:
    variance of the guide below which a window counts as flat.
    """
    mean_guide, mean_plane = _box(guide, radius), _box(plane, radius)
    covariance = _box(guide * plane, radius) - mean_guide * mean_plane
    slope = covariance / (_box(guide * guide, radius) - mean_guide * mean_guide + smoothing)
    offset = mean_plane - slope * mean_guide
    return np.asarray(_box(slope, radius) * guide + _box(offset, radius), np.float32)


def _box(plane: NDArray[Any], radius: int) -> Plane:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
