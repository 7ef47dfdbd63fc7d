"""Cropping and scaling of pictures to fill a given size."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def cover(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """Scale and crop a picture to fill `width` x `height`.

    `picture`: (h, w) or (h, w, channels), uint8 or float32. Shrinks by area means, enlarges by cubic interpolation.
    """
    high, wide = picture.shape[:2]
    factor = max(width / wide, height / high)
    part_width, part_height = max(round(min(width / factor, wide)), 1), max(round(min(height / factor, high)), 1)
    left, top = (wide - part_width) // 2, (high - part_height) // 2
    part = np.ascontiguousarray(picture[top : top + part_height, left : left + part_width])
    if part.shape[:2] == (height, width):
        return part
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC))
