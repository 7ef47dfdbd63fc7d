"""Hole filling with Telea's inpainting method."""

import cv2
import numpy as np
from numpy.typing import NDArray

_RADIUS = 5


def fill_opencv(picture: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill the holes of a picture by Telea's method (2004).

    `picture`: RGB, uint8 (height, width, 3). `hole`: uint8 (height, width), 255 in holes.
    """
    return np.asarray(cv2.inpaint(picture, hole, _RADIUS, cv2.INPAINT_TELEA), np.uint8)
