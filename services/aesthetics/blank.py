"""Frames that show nothing: black ones, plain ones, titles."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Shows = Literal["picture", "black", "plain", "title"]

_BLACK = 26
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
    if float(np.quantile(luma, 0.99)) <= _BLACK:
        return "black"
    if float(luma.std()) <= _PLAIN:
        return "plain"
    ground = int(np.bincount(luma.ravel(), minlength=256).argmax())
    off = np.abs(luma.astype(np.int16) - ground) > _BAND
    height, width = luma.shape[0] // _BLOCK, luma.shape[1] // _BLOCK
    share = cv2.resize(off[: height * _BLOCK, : width * _BLOCK].astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    even = float((share == 0).mean())
    if even < _GROUND:
        return "picture"
    # Soft gradients leave the ground slowly; letters leave it at once.
    strong = np.abs(luma.astype(np.int16) - ground) > 64
    return "title" if float(strong.sum()) > 0.4 * float(off.sum()) else "picture"
