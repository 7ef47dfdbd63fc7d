"""Ghosts in a colour: their brightness, in the light of another lamp."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.pixels import Levels, Pixels, Planes


class Tint:
    """Gives planes a colour, by `strength` (0 to 1). The colour is brought to full brightness first, so that ghosts do not get darker."""

    def __init__(self, color: str, strength: float, pixels: Pixels) -> None:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        most = max(max(parts), 1 / 255)
        red, green, blue = (part / most for part in parts)
        self.levels, self.strength = pixels.levels, strength
        self.values = pixels.color(red, green, blue)

    def __call__(self, planes: Planes) -> Planes:
        """Tinted copies of planes, in their own types. A single one, which has no colour, stays as it is."""
        if len(planes) < 3:
            return planes
        bright = brightness(planes, self.levels)
        made = []
        for plane, floor, value in zip(planes, self.levels.floor, self.values, strict=True):
            own = bright if bright.shape == plane.shape else cv2.resize(bright, plane.shape[::-1], interpolation=cv2.INTER_AREA)
            mixed = plane * (1 - self.strength) + (floor + own * (value - floor)) * self.strength
            made.append(np.rint(mixed).astype(plane.dtype) if plane.dtype.kind == "u" else mixed.astype(plane.dtype))
        return tuple(made)


def brightness(planes: Planes, levels: Levels) -> NDArray[np.float32]:
    """Black to white as 0 to 1, float32, in the shape of the first plane: its luma, or that of the light."""
    first: NDArray[Any] = planes[0].astype(np.float32)
    if len(planes) == 3 and levels.floor[1] == 0:
        first = 0.2126 * first + 0.7152 * planes[1] + 0.0722 * planes[2]
    return ((first - levels.floor[0]) / levels.span).astype(np.float32)
