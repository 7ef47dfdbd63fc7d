"""Scaling of pictures to smaller and larger sizes."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def scaled(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Scale a picture to `size` (width, height).

    `picture`: (h, w) or (h, w, channels); the result has its dtype. Pixels are averaged if no side grows, and interpolated otherwise:
    OpenCV's averages repeat pixels at a larger size. A picture that already has the size is returned itself, not a copy.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    smaller = size[0] <= width and size[1] <= height
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR))
