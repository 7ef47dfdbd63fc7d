"""Optical flow between two frames, for warping mattes.

Optical flow by dense inverse search (Kroeger and others, ECCV 2016), at a height of at most 270 pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Alpha = NDArray[np.float32]

_MIN_SIDE = 16
"""Minimum side of a picture whose motion is measured, in pixels. The flow's patches need so many."""
_BLUR = 1.5  # blur of the motion's error: standard deviation in pixels


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Motion from the previous frame to the current frame.

    `back`: (h, w, 2) float32, offset in pixels, right and down, from each pixel to its place in the previous frame. `error`: (h, w)
    float32, difference of luma between the two places, 0..255, smoothed.
    """

    back: NDArray[np.float32]
    error: NDArray[np.float32]

    def carry(self, alpha: Alpha) -> Alpha:
        """Warp a matte of the previous frame to the current frame.

        `alpha`: (H, W) of any size.
        """
        height, width = alpha.shape
        lines, columns = self.error.shape
        scale = np.array([width / columns, height / lines], np.float32)
        back = np.asarray(cv2.resize(self.back, (width, height), interpolation=cv2.INTER_LINEAR), np.float32) * scale
        return _looked_up(alpha, back)


class MotionMeter:
    """Meter of the motion between two frames of equal size."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, gray: Gray, before: Gray) -> Motion:
        """Measure the motion from `before` to `gray`.

        Both are luma, (h, w) of the same size.
        """
        if min(gray.shape) < _MIN_SIDE:
            back = np.zeros((*gray.shape, 2), np.float32)
        else:
            back = np.asarray(self._flow.calc(gray, before, np.zeros((*gray.shape, 2), np.float32)), np.float32)
        source = _looked_up(before.astype(np.float32), back)
        error = cv2.GaussianBlur(cv2.absdiff(source, gray.astype(np.float32)), (0, 0), _BLUR)
        return Motion(back, np.asarray(error, np.float32))


def _looked_up(plane: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(plane, x + back[..., 0], y + back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
