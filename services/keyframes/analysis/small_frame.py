"""Small copies of frames for measurements, 128 pixels or less on the longer side."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import Frame
from shared.video.frames.planes import halve_toward

LONG_SIDE = 128
"""Longer side of the small luma plane in pixels. Chroma planes have half of it."""

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SmallFrame:
    """A small copy of a frame, at most 128 pixels on the longer side.

    `y` has shape (h, w), `u` and `v` have (h/2, w/2); uint8 in the video's own range. Gray frames have 128 in `u` and `v`.
    """

    pts: int
    index: int
    y: Plane
    u: Plane
    v: Plane

    def rgb(self) -> Plane:
        """Return the frame as RGB, (h, w, 3) uint8.

        The conversion is always BT.601 in limited range. That is enough to compare frames of one video, but not to show them.
        """
        height, width = self.y.shape
        half = (height // 2, width // 2)
        packed = np.concatenate([self.y.ravel(), self.u.reshape(half).ravel(), self.v.reshape(half).ravel()])
        return np.asarray(cv2.cvtColor(packed.reshape(height * 3 // 2, width), cv2.COLOR_YUV2RGB_I420), np.uint8)


def small_size(width: int, height: int) -> tuple[int, int]:
    """Return the (width, height) of a video's small frames.

    Both are even, at least 16 and at most LONG_SIDE.
    """
    scale = min(LONG_SIDE / max(width, height), 1.0)
    return max(round(width * scale / 2) * 2, 16), max(round(height * scale / 2) * 2, 16)


def shrink(frame: Frame, size: tuple[int, int]) -> SmallFrame:
    """Shrink a frame to `size` (width, height) by averaging areas."""
    width, height = size
    half = (width // 2, height // 2)
    planes = frame.planes()
    if len(planes) >= 3:
        u, v = planes[1], planes[2]
    elif len(planes) == 2 and planes[1].ndim == 3:
        u, v = planes[1][..., 0], planes[1][..., 1]
    else:
        gray = np.full(half[::-1], 128, np.uint8)
        return SmallFrame(frame.pts, frame.index, frame.small_luma(*size), gray, gray)
    bits = frame.picture.format.components[0].bits
    return SmallFrame(frame.pts, frame.index, frame.small_luma(*size), _shrink_plane(u, half, bits), _shrink_plane(v, half, bits))


def _shrink_plane(plane: NDArray[Any], size: tuple[int, int], bits: int) -> Plane:
    """Shrink a plane to `size` (width, height) and 8 bits.

    Shrinks by averaging areas. `bits`: bits per sample of `plane`.
    """
    small: NDArray[Any] = cv2.resize(halve_toward(plane, size), size, interpolation=cv2.INTER_AREA)
    return (small >> (bits - 8) if bits > 8 else small).astype(np.uint8, copy=False)
