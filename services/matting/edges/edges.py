"""Corrections of a matte's edges, holes and blobs."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.edges.options import EdgeOptions

Alpha = NDArray[np.float32]

_BAND = 0.02  # a pixel belongs to the soft edge if its alpha is farther than this from both 0 and 1
_GUIDE_LINES = 540  # shorter side of the pictures on which the guided filter runs, in pixels
_GUIDE_EPSILON = 1e-4  # variance of the picture, 0 to 1, that the guided filter smooths over


def finished(alpha: Alpha, options: EdgeOptions) -> Alpha:
    """Apply the edge options to a matte.

    `alpha`: (h, w) 0..1, of the output's size. The order is: blobs, holes, dilate, erode, feather, gamma.
    """
    if options.min_area > 0:
        alpha = without_blobs(alpha, options.min_area)
    if options.holes > 0:
        alpha = without_holes(alpha, options.holes)
    if options.dilate > 0:
        alpha = np.asarray(cv2.dilate(alpha, _disc(options.dilate)), np.float32)
    if options.erode > 0:
        alpha = np.asarray(cv2.erode(alpha, _disc(options.erode)), np.float32)
    if options.feather > 0:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), options.feather / 2), np.float32)
    if options.gamma != 1:
        alpha = np.power(alpha, np.float32(options.gamma))
    return alpha


def without_blobs(alpha: Alpha, share: float) -> Alpha:
    """Remove connected parts smaller than `share` of the picture's area."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > _BAND).astype(np.uint8), connectivity=8)
    keep = np.ones(count, np.float32)
    keep[1:] = stats[1:, cv2.CC_STAT_AREA] >= share * alpha.size
    return alpha if keep.all() else alpha * keep[labels]


def without_holes(alpha: Alpha, share: float) -> Alpha:
    """Fill holes of up to `share` of the picture's area.

    Parts that touch the picture's border are no holes.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha < 0.5).astype(np.uint8), connectivity=4)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    fill = np.zeros(count, bool)
    fill[1:] = stats[1:, cv2.CC_STAT_AREA] <= share * alpha.size
    fill[border] = False
    if not fill.any():
        return alpha
    # The soft rim of a hole has to be filled too.
    holes = cv2.dilate(fill[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.where(holes > 0, np.float32(1), alpha)


def refined(alpha: Alpha, luma: NDArray[np.uint8], *, scale: float) -> Alpha:
    """Align an enlarged matte's soft edge with edges in the picture.

    `luma`: the picture, (h, w) as the matte. `scale`: factor by which the matte was enlarged. The matte does not change outside the soft
    edge. The method is the fast guided filter (He and Sun, arXiv:1505.00996).
    """
    band = (alpha > _BAND) & (alpha < 1 - _BAND)
    if not band.any():
        return alpha
    height, width = alpha.shape
    factor = min(_GUIDE_LINES / min(height, width), 1)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    guide = cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    radius = max(round(1.5 * scale * factor), 2)
    window = (2 * radius + 1, 2 * radius + 1)
    mean_guide, mean = cv2.blur(guide, window), cv2.blur(small, window)
    variance = cv2.blur(guide * guide, window) - mean_guide**2
    covariance = cv2.blur(guide * small, window) - mean_guide * mean
    slope = covariance / (variance + _GUIDE_EPSILON)
    offset = mean - slope * mean_guide
    slope, offset = cv2.resize(cv2.blur(slope, window), (width, height)), cv2.resize(cv2.blur(offset, window), (width, height))
    redrawn = np.clip(slope * (luma.astype(np.float32) / 255) + offset, 0, 1)
    width_of_band = max(round(scale), 1)
    inside = cv2.GaussianBlur(cv2.dilate(band.astype(np.float32), np.ones((2 * width_of_band + 1,) * 2)), (0, 0), width_of_band)
    return np.asarray(alpha + inside * (redrawn - alpha), np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    size = 2 * math.ceil(radius) + 1
    y, x = np.mgrid[0:size, 0:size] - size // 2
    return np.asarray(np.hypot(x, y) <= radius + 0.5, np.uint8)
