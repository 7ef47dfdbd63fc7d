"""What is laid behind the subject in a composite."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import list_pictures

Rgb = NDArray[np.uint8]

GREEN = (120, 255, 155)
"""The green of RVM's own composites."""
_SQUARES_IN_HEIGHT = 24
_LIGHT, _DARK = 204, 153


def backdrop(name: str, width: int, height: int) -> Rgb:
    """Return a picture (height, width, 3): `green`, `checkerboard`, or a colour such as `#203040`."""
    if name == "checkerboard":
        side = max(height // _SQUARES_IN_HEIGHT, 2)
        odd = (np.arange(height)[:, None] // side + np.arange(width)[None, :] // side) % 2
        return np.repeat(np.where(odd, _DARK, _LIGHT).astype(np.uint8)[..., None], 3, axis=2)
    color = GREEN if name == "green" else tuple(int(name[at : at + 2], 16) for at in (1, 3, 5))
    return np.full((height, width, 3), color, np.uint8)


def picture_backdrop(path: Path, width: int, height: int) -> Rgb:
    """Return a picture file cropped to the shape of (height, width) around its middle, and scaled to it."""
    picture = np.asarray(list_pictures([path])[0].image())
    high, wide = picture.shape[:2]
    factor = max(width / wide, height / high)
    part_w, part_h = min(round(width / factor), wide), min(round(height / factor), high)
    left, top = (wide - part_w) // 2, (high - part_h) // 2
    part = picture[top : top + part_h, left : left + part_w]
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC), np.uint8)
