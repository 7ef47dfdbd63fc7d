"""Pictures cropped and scaled to the shape of a background."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def cover(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """Return a picture, (h, w) or (h, w, channels), cropped around its middle to the shape of `width` x `height` and scaled to it."""
    high, wide = picture.shape[:2]
    factor = max(width / wide, height / high)
    part_width, part_height = max(round(min(width / factor, wide)), 1), max(round(min(height / factor, high)), 1)
    left, top = (wide - part_width) // 2, (high - part_height) // 2
    part = np.ascontiguousarray(picture[top : top + part_height, left : left + part_width])
    if part.shape[:2] == (height, width):
        return part
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC))


def output_size(width: int, height: int, resolution: int) -> tuple[int, int]:
    """Return the size of the result: the clip's, or smaller with even sides so that it is `resolution` high."""
    if height <= resolution:
        return width, height
    factor = resolution / height
    return max(round(width * factor / 2) * 2, 2), max(round(resolution / 2) * 2, 2)


def large_size(width: int, height: int, margin: float) -> tuple[int, int]:
    """Return the size, with even sides, of a background `margin` times as large as a frame of `width` x `height`."""
    return max(round(width * margin / 2) * 2, width), max(round(height * margin / 2) * 2, height)
