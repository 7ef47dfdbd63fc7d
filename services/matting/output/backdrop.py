"""Backgrounds of a composite."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.operation import Progress
from shared.video.frames.cover import cover
from shared.video.stills.opaque_picture import opaque_picture

Rgb = NDArray[np.uint8]

GREEN = (120, 255, 155)
"""The green of RVM's own composites."""
_SQUARES_IN_HEIGHT = 24
_LIGHT, _DARK = 204, 153


def backdrop(name: str, width: int, height: int) -> Rgb:
    """Draw a single-colour or checkerboard background.

    `name`: `green`, `checkerboard`, or a colour such as `#203040`. Returns (height, width, 3).
    """
    if name == "checkerboard":
        side = max(height // _SQUARES_IN_HEIGHT, 2)
        odd = (np.arange(height)[:, None] // side + np.arange(width)[None, :] // side) % 2
        return np.repeat(np.where(odd, _DARK, _LIGHT).astype(np.uint8)[..., None], 3, axis=2)
    color = GREEN if name == "green" else tuple(int(name[at : at + 2], 16) for at in (1, 3, 5))
    return np.full((height, width, 3), color, np.uint8)


def picture_backdrop(path: Path, width: int, height: int, progress: Progress) -> Rgb:
    """Read a background picture, scaled and cropped to `width` x `height`.

    Returns (height, width, 3). Transparent parts are put on black, with a warning.
    """
    return np.asarray(cover(opaque_picture(path, progress), width, height), np.uint8)
