"""Detection of black frames, single-colour frames and title cards."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Shows = Literal["picture", "black", "plain", "title"]

_BLACK = 26  # level up to which a pixel is black
_NEARLY_ALL = 0.99  # minimum share of black pixels in a black frame
_PLAIN = 4.0  # largest standard deviation of a plain frame, in levels
_BAND = 3  # largest difference of a background pixel from the most common level, in levels
_GROUND = 0.7  # minimum share of blocks in a title card that show only background
_BLOCK = 8  # side of a block in pixels


def shows(luma: NDArray[np.uint8]) -> Shows:
    """Classify a frame as black, plain, title or picture.

    `luma`: (height, width) uint8, 0 (black) to 255 (white). Returns `black` if at most 1 % of the pixels are brighter than a tenth of
    white; `plain` for one even tone; `title` for letters or a logo on an even background: most blocks are within a few levels of
    one level, and the rest stands out sharply; otherwise `picture`.
    """
    histogram = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel().astype(np.float64) / luma.size
    values = np.arange(256)
    if float(histogram[: _BLACK + 1].sum()) >= _NEARLY_ALL:
        return "black"
    mean = float(histogram @ values)
    if float(histogram @ (values - mean) ** 2) <= _PLAIN**2:
        return "plain"
    ground = int(histogram.argmax())
    off = np.abs(values - ground) > _BAND
    height, width = luma.shape[0] // _BLOCK, luma.shape[1] // _BLOCK
    marked = cv2.LUT(luma[: height * _BLOCK, : width * _BLOCK], off.astype(np.float32))
    share = cv2.resize(marked, (width, height), interpolation=cv2.INTER_AREA)
    if float((share == 0).mean()) < _GROUND:
        return "picture"
    # Letters stand out sharply from the background, soft gradients do not.
    strong = np.abs(values - ground) > 64
    return "title" if float(histogram[strong].sum()) > 0.4 * float(histogram[off].sum()) else "picture"
