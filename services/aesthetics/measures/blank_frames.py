"""Frames that show nothing: black ones, plain ones, titles."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Shows = Literal["picture", "black", "plain", "title"]

_BLACK = 26
_NEARLY_ALL = 0.99
_PLAIN = 4.0
_BAND = 3
_GROUND = 0.7
_BLOCK = 8


def shows(luma: NDArray[np.uint8]) -> Shows:
    """What kind of frame this is.

    `luma`: (height, width) uint8 from 0 (black) to 255 (white). `black`: hardly a pixel is brighter than a tenth. `plain`: one even tone.
    `title`: letters or a logo on an even ground, that is, most of the frame lies within a few steps of one value, block for block,
    and what does not stands out sharply from it.
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
    # Soft gradients leave the ground slowly; letters leave it at once.
    strong = np.abs(values - ground) > 64
    return "title" if float(histogram[strong].sum()) > 0.4 * float(histogram[off].sum()) else "picture"
