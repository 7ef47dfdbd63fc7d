"""The small plane that everything is measured on."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import Frame

LONG_SIDE = 128
"""Pixels along the longer side of the small luma; chroma has half of it."""

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Small:
    """A frame shrunk: `y` (h, w), `u` and `v` (h/2, w/2), uint8 as stored; gray pictures have 128 for both."""

    pts: int
    index: int
    y: Plane
    u: Plane
    v: Plane

    def rgb(self) -> Plane:
        """(h, w, 3) R, G, B, as if it were BT.601 in limited range: for comparing frames of one video, not for showing."""
        height, width = self.y.shape
        half = (height // 2, width // 2)
        packed = np.concatenate([self.y.ravel(), self.u.reshape(half).ravel(), self.v.reshape(half).ravel()])
        return cv2.cvtColor(packed.reshape(height * 3 // 2, width), cv2.COLOR_YUV2RGB_I420)


def small_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the small luma of a video: even, at least 16, the longer side LONG_SIDE at most."""
    scale = min(LONG_SIDE / max(width, height), 1.0)
    return max(round(width * scale / 2) * 2, 16), max(round(height * scale / 2) * 2, 16)


def shrink(frame: Frame, size: tuple[int, int]) -> Small:
    """A frame in small, averaged over areas."""
    width, height = size
    half = (width // 2, height // 2)
    planes = frame.planes()
    if len(planes) >= 3:
        u, v = planes[1], planes[2]
    elif len(planes) == 2 and planes[1].ndim == 3:
        u, v = planes[1][..., 0], planes[1][..., 1]
    else:
        gray = np.full(half[::-1], 128, np.uint8)
        return Small(frame.pts, frame.index, frame.small_luma(*size), gray, gray)
    bits = frame.picture.format.components[0].bits
    return Small(frame.pts, frame.index, frame.small_luma(*size), _shrunk(u, half, bits), _shrunk(v, half, bits))


def _shrunk(plane: NDArray[np.generic], size: tuple[int, int], bits: int) -> Plane:
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return (small >> (bits - 8)).astype(np.uint8) if bits > 8 else small
