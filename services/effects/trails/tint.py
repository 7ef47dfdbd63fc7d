"""Ghosts in a colour: their brightness, in the light of another lamp."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Levels, Pixels, Planes


class Tint:
    """Gives planes a colour, by `strength` (0 to 1). The colour is brought to full brightness first, so that ghosts do not get darker."""

    def __init__(self, color: str, strength: float, pixels: Pixels) -> None:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        most = max(max(parts), 1 / 255)
        red, green, blue = (part / most for part in parts)
        self.levels, self.strength = pixels.levels, strength
        self.values = pixels.color(red, green, blue)

    def __call__(self, planes: NDArray[Any]) -> NDArray[Any]:
        """A tinted copy of planes of one size, (height, width, planes), in its own type. A single one, without colour, stays as it is."""
        if planes.shape[2] < 3:
            return planes
        floor = np.array(self.levels.floor, np.float32)
        values = np.array(self.values, np.float32) - floor
        coloured = floor + brightness(planes, self.levels)[:, :, None] * values
        mixed = planes * np.float32(1 - self.strength) + coloured * np.float32(self.strength)
        return np.rint(mixed).astype(planes.dtype) if planes.dtype.kind == "u" else mixed

    def of_planes(self, planes: Planes) -> Planes:
        """The same for planes of sizes of their own, chroma at most as large as luma."""
        if len(planes) < 3:
            return planes
        bright = planes[0]
        made = []
        for number, plane in enumerate(planes):
            own = bright if bright.shape == plane.shape else cv2.resize(bright, plane.shape[::-1], interpolation=cv2.INTER_AREA)
            sized = [own if other is bright else other if other.shape == plane.shape else own for other in planes]
            made.append(self(np.dstack([*sized[:number], plane if number else own, *sized[number + 1 :]]))[:, :, number])
        return tuple(made)


def brightness(planes: NDArray[Any], levels: Levels) -> NDArray[np.float32]:
    """Black to white as 0 to 1, float32 (height, width), of planes (height, width, planes): their luma, or that of their light."""
    first: NDArray[Any] = planes[:, :, 0].astype(np.float32)
    if planes.shape[2] == 3 and levels.floor[1] == 0:
        first = np.float32(0.2126) * first + np.float32(0.7152) * planes[:, :, 1] + np.float32(0.0722) * planes[:, :, 2]
    return (first - np.float32(levels.floor[0])) * np.float32(1 / levels.span)
