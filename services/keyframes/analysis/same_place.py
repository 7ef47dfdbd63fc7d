"""Test of whether two frames of a video show the same place.

The camera may have moved between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.seek import frames_at
from shared.errors import BrokenMedia
from shared.video import Frame

_WIDTH = 320
"""Largest width of compared frames, in pixels. Wider frames are shrunk."""
_RATIO = 0.75
"""Limit for the match of a corner. The distance of the best match is below this share of the second best's. Source: Lowe, 2004, section
7.1."""
_ERROR_PX = 3.0  # largest distance, in pixels, between a corner and its place according to the camera motion
_MIN_CORNERS, _MIN_SHARE = 14, 0.15
"""Minimum number and minimum share of corners that one camera motion explains. With fewer, two frames show different places, as the ends of
a dissolve do."""
_MIN_ALIGNED = 8
"""Minimum number of explained corners for aligning two frames."""
_QUARTERS, _IN_QUARTER = 3, 2
"""Minimum number of quarters with explained corners, and minimum number of corners in each. In a wipe, only one part of the picture shows
the same place in both frames."""
_CORNERS = 600  # maximum number of corners found in a frame
_FINE, _COARSE = 1.5, 6.0
"""Blurs that limit the size of details: standard deviations in pixels. The first removes noise, the second coarse shapes."""
_BLOCK, _MIN_BLOCKS = 20, 20
"""Side of the compared blocks in pixels, and minimum number of blocks. Blocks that only one frame shows are left out."""
_CHAINS = ((2, 30), (4, 20))
"""Chains of frames: number of steps, and percentage of blocks that may differ. In each step, that many blocks may differ because objects
move in them. A wipe changes more blocks."""
_MAX_ANGLE = 70.0
"""Largest sum of `angle_of_details` over a chain of frames, in degrees. A dissolve between unlike pictures has 90."""

Luma = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class View:
    """A frame with the parts that comparisons use. Each part is computed once."""

    luma: Luma
    """Luma plane of the frame, (height, width)."""

    @cached_property
    def corners(self) -> tuple[Sequence[cv2.KeyPoint], Any]:
        """Corners and their descriptors. Source: SIFT by Lowe, 2004.

        The descriptors are (n, 128) float32, or None if there are no corners.
        """
        return cv2.SIFT.create(nfeatures=_CORNERS).detectAndCompute(cv2.equalizeHist(self.luma), np.empty(0))

    @cached_property
    def details(self) -> NDArray[np.float32]:
        """Luma after a band-pass filter, without coarse shapes and noise, (height, width)."""
        fine = cv2.GaussianBlur(self.luma.astype(np.float32), (0, 0), _FINE)
        return np.asarray(fine - cv2.GaussianBlur(fine, (0, 0), _COARSE), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class CameraMotion:
    """Affine motion of the camera from one frame to another."""

    matrix: NDArray[np.float64]
    """Matrix from points (x, y) of the first frame to the second, (2, 3)."""
    inliers: NDArray[np.float32]
    """Corners of the second frame that the motion explains, (n, 2)."""
    middle: NDArray[np.float64]
    """Median position of all corners of the second frame, (2,)."""
    corners: int
    """Number of corners in the frame with fewer corners."""


def show_same_place(before: View, after: View) -> bool:
    """Return whether two frames show the same place, seen by a moving camera.

    They do if a single camera motion maps the corners of one frame to those of the other. Brightness and contrast do not count. Returns
    False for frames with few corners.
    """
    motion = camera_motion(before, after)
    if motion is None or len(motion.inliers) < max(_MIN_CORNERS, _MIN_SHARE * motion.corners):
        return False
    right, low = (motion.inliers > motion.middle).T
    return int((np.bincount(2 * right + low, minlength=4) >= _IN_QUARTER).sum()) >= _QUARTERS


def angle_of_details(before: View, after: View, others: int) -> float:
    """Return how much two frames' details differ, as an angle, 0 to 90 degrees.

    The camera motion between the frames is undone first. `others`: percentage of blocks that may differ more. Returns degrees, the arc
    cosine of the correlation: 0 for equal details, whatever their brightness and contrast; 90 for unlike details, or if no camera motion is
    found. Over a dissolve, the angles from frame to frame add up to 90.
    """
    motion = camera_motion(before, after)
    if motion is None or len(motion.inliers) < _MIN_ALIGNED:
        return 90.0
    height, width = after.luma.shape
    moved = cv2.warpAffine(before.details, motion.matrix, (width, height))
    inside = cv2.warpAffine(np.ones(before.luma.shape, np.float32), motion.matrix, (width, height))
    details, targets = _blocks(np.asarray(moved, np.float32)), _blocks(after.details)
    coverage = _blocks(np.asarray(inside, np.float32))
    whole = coverage.min(axis=1) > 0.99
    if whole.sum() < _MIN_BLOCKS:
        return 90.0
    details, targets = details[whole], targets[whole]
    product, first, second = (np.einsum("ij,ij->i", a, b) for a, b in ((details, targets), (details, details), (targets, targets)))
    correlation = product / np.sqrt(first * second + 1e-6)
    # Noise covers the details of plain blocks, so only the stronger half counts.
    strength = np.minimum(first, second)
    share = np.percentile(correlation[strength >= np.median(strength)], others)
    return float(np.degrees(np.arccos(np.clip(share, 0, 1))))


def joined_by_fast_motion(frames: Sequence[View]) -> bool:
    """Return whether five frames come from one fast-moving camera.

    `frames`: at equal distances in time. Each must still show most details of the frame before; see `angle_of_details`.
    """
    for steps, others in _CHAINS:
        chain = frames[:: (len(frames) - 1) // steps]
        angle = 0.0
        for before, after in pairwise(chain):
            angle += angle_of_details(before, after, others)
            if angle > _MAX_ANGLE:
                break
        else:
            return True
    return False


def camera_motion(before: View, after: View) -> CameraMotion | None:
    """Estimate the camera motion between two frames from their corners.

    Returns None if there are too few corners. Source: an affine motion by RANSAC.
    """
    first, second = before.corners, after.corners
    if min(len(first[0]), len(second[0])) < _MIN_ALIGNED:
        return None
    pairs = cv2.BFMatcher().knnMatch(first[1], second[1], k=2)
    matches = [best for best, other in (pair for pair in pairs if len(pair) == 2) if best.distance < _RATIO * other.distance]
    if len(matches) < _MIN_ALIGNED:
        return None
    sources = np.array([first[0][match.queryIdx].pt for match in matches], np.float32)
    targets = np.array([second[0][match.trainIdx].pt for match in matches], np.float32)
    matrix, inliers = cv2.estimateAffine2D(sources, targets, method=cv2.RANSAC, ransacReprojThreshold=_ERROR_PX)
    if matrix is None:  # none was found, although the type of `estimateAffine2D` says otherwise
        return None  # type: ignore[unreachable]
    middle = np.median([corner.pt for corner in second[0]], axis=0)
    return CameraMotion(np.asarray(matrix, np.float64), targets[inliers.ravel() > 0], middle, min(len(first[0]), len(second[0])))


def frames_show_same_place(video: Path, times: Sequence[Fraction], box: tuple[float, float, float, float]) -> bool:
    """Return whether five frames show one place or come from one fast-moving camera.

    `times`: times of the frames in seconds, rising, at equal distances. `box`: part of the frames that is compared, see
    `ThumbnailFilm.picture_box`. Black bars would look like parts of one place. False if one of the frames cannot be decoded.
    """
    try:
        frames = [View(_inside(_small(frame), box)) for frame in frames_at(video, times)]
    except BrokenMedia:
        return False
    return len(frames) == len(times) and (show_same_place(frames[0], frames[-1]) or joined_by_fast_motion(frames))


def _small(frame: Frame) -> Luma:
    scale = min(_WIDTH / frame.width, 1)
    return frame.small_luma(round(frame.width * scale), max(round(frame.height * scale), 1))


def _inside(luma: Luma, box: tuple[float, float, float, float]) -> Luma:
    top, bottom, left, right = box
    height, width = luma.shape
    return np.ascontiguousarray(luma[round(top * height) : round(bottom * height), round(left * width) : round(right * width)])


def _blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a picture into square blocks; return (blocks, pixels of a block)."""
    rows, columns = (side // _BLOCK for side in values.shape)
    cut = values[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.ascontiguousarray(cut.swapaxes(1, 2)).reshape(rows * columns, _BLOCK**2)
