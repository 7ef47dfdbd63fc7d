"""Errors of a matte against the true matte.

MAD, MSE, Grad, Conn, and dtSSD over two frames. Units are those of the literature (Lin, Ryabtsev and others, "Real-Time High-Resolution
Background Matting", CVPR 2021, and "Robust High-Resolution Video Matting", WACV 2022): MAD and MSE times 1000, Grad and Conn divided by
1000, dtSSD times 100. Grad and Conn are those of Rhemann and others, "A Perceptually Motivated Online Benchmark for Image Matting", CVPR
2009; dtSSD that of Erofeev and others, "Perceptually Motivated Benchmark for Video Matting", BMVC 2015. Alphas are (H, W) float, 0 to 1.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.float32]
_Plane = NDArray[np.float64]

_GRADIENT_SIGMA, _GRADIENT_CUT = 1.4, 1e-2
_CONNECTIVITY_STEP, _CONNECTIVITY_LEAST = 0.1, 0.15


def mad(alpha: Alpha, truth: Alpha) -> float:
    """Return the mean absolute difference, times 1000."""
    return float(np.abs(alpha.astype(np.float64) - truth).mean() * 1e3)


def mse(alpha: Alpha, truth: Alpha) -> float:
    """Return the mean squared error, times 1000."""
    return float(((alpha.astype(np.float64) - truth) ** 2).mean() * 1e3)


def grad(alpha: Alpha, truth: Alpha) -> float:
    """Return the gradient error, divided by 1000.

    The error is the sum of the squared differences between the gradients' magnitudes. Gradients are Gaussian derivatives with sigma 1.4.
    """
    return float(((_gradient(alpha) - _gradient(truth)) ** 2).sum() / 1e3)


def conn(alpha: Alpha, truth: Alpha) -> float:
    """Return the connectivity error, divided by 1000.

    For each pixel, the level is the highest threshold (in steps of 0.1) at which the pixel belongs to the largest region that is above the
    threshold in both mattes. Alpha minus the level, where it is 0.15 or more, is disconnected. The error is the sum of the differences
    between the two mattes' connected parts.
    """
    low = np.minimum(alpha, truth)
    level = np.zeros(alpha.shape)
    # Nothing outside of this box belongs to a region.
    left, top, width, height = cv2.boundingRect((low >= _CONNECTIVITY_STEP).view(np.uint8))
    box = slice(top, top + height), slice(left, left + width)
    if width and height:
        level[box] = _levels(np.ascontiguousarray(low[box]))
    return float(np.abs(_connected(alpha, level) - _connected(truth, level)).sum() / 1e3)


def dtssd(alpha: Alpha, before: Alpha, truth: Alpha, truth_before: Alpha) -> float:
    """Return the temporal error between two frames (dtSSD), times 100.

    The error is the root mean square of the difference between the change of the mattes and the change of the true mattes.
    """
    change = alpha.astype(np.float64) - before - (truth.astype(np.float64) - truth_before)
    return float(math.sqrt((change**2).mean()) * 1e2)


def _levels(low: Alpha) -> _Plane:
    """Return each pixel's connectivity level.

    `low`: the smaller of two mattes, (h, w).
    """
    level, held, before = np.ones(low.shape), np.ones(low.shape, np.bool_), -1
    for step in range(1, round(1 / _CONNECTIVITY_STEP) + 1):
        threshold = step * _CONNECTIVITY_STEP
        above = (low >= threshold).view(np.uint8)
        area = cv2.countNonZero(above)
        if area == before:  # each mask lies within the previous mask, so a mask of equal area is the same
            continue
        before = area
        count, labels, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=4)
        largest = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if count > 1 else np.zeros(low.shape, np.bool_)
        level[held & ~largest] = threshold - _CONNECTIVITY_STEP
        held &= largest
    return level


def _connected(alpha: Alpha, level: _Plane) -> _Plane:
    excess = alpha - level
    return np.asarray(1 - excess * (excess >= _CONNECTIVITY_LEAST), np.float64)


def _gradient(alpha: Alpha) -> _Plane:
    """Normalize a matte, and return the magnitude of its gradient, (H, W)."""
    low, high = float(alpha.min()), float(alpha.max())
    stretched = (alpha.astype(np.float64) - low) / (high - low) if high > low else np.zeros(alpha.shape)
    smooth, slope = _derivative_kernels()
    across: Any = cv2.sepFilter2D(stretched, -1, slope, smooth, borderType=cv2.BORDER_REPLICATE)
    down: Any = cv2.sepFilter2D(stretched, -1, smooth, slope, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.hypot(across, down), np.float64)


def _derivative_kernels() -> tuple[_Plane, _Plane]:
    """Return the separable kernels of a Gaussian's first derivative.

    The first is a Gaussian, the second its derivative. Both are cut off where the Gaussian falls below 0.01; their product has unit norm.
    """
    sigma = _GRADIENT_SIGMA
    half = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * _GRADIENT_CUT)))
    x = np.arange(-half, half + 1, dtype=np.float64)
    gauss = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    slope = -x * gauss / sigma**2
    return gauss / math.sqrt((gauss**2).sum()), slope / math.sqrt((slope**2).sum())
