"""Tinting of ghosts at constant brightness."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Levels, Pixels, Planes


class Tint:
    """A colour and the strength with which it tints planes.

    `color`: "#rrggbb". It is first brought to full brightness, so that tinted ghosts do not get darker. `strength`: 0 to 1.
    """

    def __init__(self, color: str, strength: float, pixels: Pixels) -> None:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        brightest = max(max(parts), 1 / 255)
        red, green, blue = (part / brightest for part in parts)
        self.levels, self.strength = pixels.levels, strength
        self.values = pixels.color(red, green, blue)

    def __call__(self, planes: NDArray[Any]) -> NDArray[Any]:
        """Return a tinted copy of equally sized planes.

        `planes`: (height, width, planes). The copy has the same type. A single plane has no colour and is returned unchanged.
        """
        if planes.shape[2] < 3:
            return planes
        floor = np.array(self.levels.floor, np.float32)
        values = np.array(self.values, np.float32) - floor
        coloured = floor + brightness(planes, self.levels)[:, :, None] * values
        mixed = planes * np.float32(1 - self.strength) + coloured * np.float32(self.strength)
        return np.rint(mixed).astype(planes.dtype) if planes.dtype.kind == "u" else mixed

    def of_planes(self, planes: Planes) -> Planes:
        """Return a tinted copy of planes that may differ in size.

        Chroma planes are at most as large as luma.
        """
        if len(planes) < 3:
            return planes
        luma = planes[0]
        tinted = []
        for number, plane in enumerate(planes):
            bright = luma if luma.shape == plane.shape else cv2.resize(luma, plane.shape[::-1], interpolation=cv2.INTER_AREA)
            sized = [bright if source is luma else source if source.shape == plane.shape else bright for source in planes]
            tinted.append(self(np.dstack([*sized[:number], plane if number else bright, *sized[number + 1 :]]))[:, :, number])
        return tuple(tinted)


def brightness(planes: NDArray[Any], levels: Levels) -> NDArray[np.float32]:
    """Return the luma of YUV planes, or the luminance of linear planes.

    `planes`: (height, width, planes). Returns float32 from 0 (black) to 1 (white).
    """
    first: NDArray[Any] = planes[:, :, 0].astype(np.float32)
    if planes.shape[2] == 3 and levels.floor[1] == 0:
        first = np.float32(0.2126) * first + np.float32(0.7152) * planes[:, :, 1] + np.float32(0.0722) * planes[:, :, 2]
    return (first - np.float32(levels.floor[0])) * np.float32(1 / levels.span)


def light_brightness(light: list[NDArray[np.float32]], levels: Levels) -> NDArray[np.float32]:
    """Return the brightness of `light`, planes with black already subtracted.

    `light`: float32 (height, width) each, with the value of black subtracted. Returns float32 from 0 (black) to 1 (white).
    """
    bright = light[0]
    if len(light) == 3 and levels.floor[1] == 0:
        bright = np.float32(0.2126) * light[0] + np.float32(0.7152) * light[1] + np.float32(0.0722) * light[2]
    return bright * np.float32(1 / levels.span)
