"""Test of whether two frames far apart in time show the same place.

The camera may have moved between them.
"""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.seek import frames_at
from shared.errors import BrokenMedia
from shared.video import Frame

_WIDTH = 320
"""Width in pixels to which frames are shrunk."""
_RATIO = 0.75
"""Largest distance of a corner's best match, relative to the second best. Source: Lowe, 2004, section 7.1."""
_ERROR_PX = 3.0
_LEAST, _SHARE = 14, 0.15
"""Least number of corners that one motion of the camera explains, and their least share of all. Within a dissolve fewer are left."""
_QUARTERS, _IN_QUARTER = 3, 2
"""Quarters of the picture that hold corners of it, and how many each. A wipe shows one place only in a part."""
_CORNERS = 600

Luma = NDArray[np.uint8]


def show_same_place(before: Luma, after: Luma) -> bool:
    """Return whether a single camera motion explains how two frames differ.

    The motion must map the corners of one frame to those of the other. `before`, `after`: (height, width) uint8. Brightness and contrast do
    not count. Frames with few corners never show the same place. Source: SIFT by Lowe, 2004, with an affine motion by RANSAC.
    """
    detector = cv2.SIFT.create(nfeatures=_CORNERS)
    first, second = (detector.detectAndCompute(cv2.equalizeHist(luma), np.empty(0)) for luma in (before, after))
    if min(len(first[0]), len(second[0])) < _LEAST:
        return False
    pairs = cv2.BFMatcher().knnMatch(first[1], second[1], k=2)
    matches = [best for best, other in (pair for pair in pairs if len(pair) == 2) if best.distance < _RATIO * other.distance]
    if len(matches) < _LEAST:
        return False
    here = np.array([first[0][match.queryIdx].pt for match in matches], np.float32)
    there = np.array([second[0][match.trainIdx].pt for match in matches], np.float32)
    motion, inliers = cv2.estimateAffine2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=_ERROR_PX)
    if motion is None or inliers.sum() < max(_LEAST, _SHARE * min(len(first[0]), len(second[0]))):
        return False
    right, low = (there[inliers.ravel() > 0] > np.median([corner.pt for corner in second[0]], axis=0)).T
    return int((np.bincount(2 * right + low, minlength=4) >= _IN_QUARTER).sum()) >= _QUARTERS


def frames_show_same_place(video: Path, before: Fraction, after: Fraction) -> bool:
    """Return whether the frames at two times show the same place.

    False if one of them cannot be decoded.
    """
    try:
        frames = [_small(frame) for frame in frames_at(video, [before, after])]
    except BrokenMedia:
        return False
    return len(frames) == 2 and show_same_place(*frames)


def _small(frame: Frame) -> Luma:
    scale = min(_WIDTH / frame.width, 1)
    return frame.small_luma(round(frame.width * scale), max(round(frame.height * scale), 1))
