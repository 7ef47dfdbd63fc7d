"""A matte as an array: white is the subject, whatever range the video is stored in."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video.frames.frame import Frame

_LIMITED_TO_FULL = np.clip(np.rint((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)


def matte_of(frame: Frame, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Return a matte's luma as uint8 (height, width), 0 (background) to 255 (subject), scaled to `size` (width, height) if given.

    A picture in limited range is stretched to the full one; more than 8 bits are rounded down to 8.
    """
    luma = frame.luma()
    if luma.dtype == np.uint16:
        luma = np.right_shift(luma, frame.picture.format.components[0].bits - 8).astype(np.uint8)
    full = np.ascontiguousarray(luma) if frame.color.range == "pc" else cv2.LUT(np.ascontiguousarray(luma), _LIMITED_TO_FULL)
    if size is not None and full.shape[::-1] != size:
        smaller = size[0] <= full.shape[1] and size[1] <= full.shape[0]
        full = cv2.resize(full, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.asarray(full, np.uint8)
