"""Fill holes by Telea's method, as the original program does."""

import cv2
import numpy as np
from numpy.typing import NDArray

_RADIUS = 5


def fill_opencv(picture: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill holes of an RGB picture, uint8 (height, width, 3) (Telea, 2004).

    `hole`: uint8 (height, width), 255 where the picture has a hole.
    """
    return np.asarray(cv2.inpaint(picture, hole, _RADIUS, cv2.INPAINT_TELEA), np.uint8)
