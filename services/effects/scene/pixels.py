"""Conversion between frames and planes, in YUV or linear light."""

from dataclasses import dataclass
from typing import Any, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.small_planes import reduced
from shared.video import Frame
from shared.video.frames.color import apply_tags, matrix_or_guess
from shared.video.frames.from_rgb import color_picture
from shared.video.frames.planes import empty_picture, planes_of

Planes = tuple[NDArray[Any], ...]

_TOP = 65535


@dataclass(frozen=True, slots=True)
class Levels:
    """Black level and value range of planes."""

    floor: tuple[float, ...]
    """Value of black in each plane."""
    span: float
    """Distance from black to white. In YUV it is that of luma, in linear light that of every plane."""


class Pixels(Protocol):
    """Converter of frames to planes, and of planes to pictures."""

    levels: Levels

    def planes(self, frame: Frame) -> Planes:
        """Return a frame's planes, to be treated as read-only."""

    def small(self, frame: Frame, small: NDArray[np.uint8]) -> NDArray[Any]:
        """Return a frame's planes at the size of its small planes `small`.

        `small`: the frame's small planes in YUV. Returns (height, width, planes), in YUV or linear light like `planes`.
        """

    def blank(self, frame: Frame) -> Planes:
        """Return new writable planes of the frame's size, to be filled with a result.

        Pass these planes to `picture` when they are filled.
        """

    def picture(self, planes: Planes, frame: Frame) -> av.VideoFrame:
        """Convert planes from `blank` to a picture.

        The picture has the colour tags of `frame`.
        """

    def color(self, red: float, green: float, blue: float) -> tuple[float, ...]:
        """Convert an sRGB colour to one value per plane.

        `red`, `green`, `blue`: 0 to 1.
        """


def pixels_for(frame: Frame, *, linear_light: bool) -> Pixels:
    """Return the converter for all frames of the clip that contains `frame`.

    `frame`: any frame of the clip, 8 bits per sample.
    """
    return LinearPixels() if linear_light else YuvPixels(frame)


class YuvPixels:
    """Converter between frames and their stored planes, YUV or gray.

    Planes have 8 bits per sample and the clip's chroma format, without transparency.
    """

    def __init__(self, frame: Frame) -> None:
        color = frame.color
        count = min(len(frame.picture.format.components), 3)
        self.levels = Levels((0.0 if color.range == "pc" else 16.0, 128.0, 128.0)[:count], 255.0 if color.range == "pc" else 219.0)
        self._matrix = matrix_or_guess(color, frame.width, frame.height)
        name = str(frame.picture.format.name)
        # nv12, from hardware decoders, is yuv420p with both chroma planes interleaved in one.
        self._format = "yuv420p" if name == "nv12" else name.replace("yuva", "yuv")
        self._pictures: dict[int, av.VideoFrame] = {}

    def planes(self, frame: Frame) -> Planes:
        if frame.picture.format.name == "nv12":
            return planes_of(frame.reformatters.reformatter.reformat(frame.picture, format=self._format, threads=1))
        return frame.planes()[:3]

    def small(self, _frame: Frame, small: NDArray[np.uint8]) -> NDArray[Any]:
        return small

    def blank(self, frame: Frame) -> Planes:
        picture = empty_picture(frame.width, frame.height, self._format)
        planes = planes_of(picture)
        # The arrays share the picture's memory, so that `picture` needs no copy.
        self._pictures[id(planes)] = picture
        return planes

    def picture(self, planes: Planes, frame: Frame) -> av.VideoFrame:
        picture = self._pictures.pop(id(planes))
        apply_tags(picture, frame.color)
        return picture

    def color(self, red: float, green: float, blue: float) -> tuple[float, ...]:
        kr, kb = {"bt709": (0.2126, 0.0722), "bt2020nc": (0.2627, 0.0593), "bt2020c": (0.2627, 0.0593), "smpte240m": (0.212, 0.087)}.get(
            self._matrix, (0.299, 0.114)
        )
        luma = kr * red + (1 - kr - kb) * green + kb * blue
        chroma = self.levels.span * (224 / 219 if self.levels.floor[0] else 1.0)
        values = (luma * self.levels.span, (blue - luma) / (2 - 2 * kb) * chroma, (red - luma) / (2 - 2 * kr) * chroma)
        return tuple(floor + value for floor, value in zip(self.levels.floor, values, strict=False))


class LinearPixels:
    """Converter between frames and planes of linear red, green and blue.

    Planes have 16 bits per sample. Source: the transfer curve of sRGB (IEC 61966-2-1). Because of the curve's linear part near black, all
    256 values are the same after conversion to light and back.
    """

    levels = Levels((0.0, 0.0, 0.0), float(_TOP))

    def __init__(self) -> None:
        code = np.arange(256) / 255
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
        self._light = np.rint(light * _TOP).astype(np.uint16)
        value = np.arange(_TOP + 1) / _TOP
        signal = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
        self._code = np.rint(signal * 255).astype(np.uint8)

    def planes(self, frame: Frame) -> Planes:
        rgb = frame.rgb()
        return tuple(self._light[rgb[:, :, channel]] for channel in range(3))

    def small(self, frame: Frame, small: NDArray[np.uint8]) -> NDArray[Any]:
        return np.dstack([reduced(plane, (small.shape[1], small.shape[0])) for plane in self.planes(frame)])

    def blank(self, frame: Frame) -> Planes:
        return tuple(np.empty((frame.height, frame.width), np.uint16) for _ in range(3))

    def picture(self, planes: Planes, frame: Frame) -> av.VideoFrame:
        return color_picture(np.stack([self._code[plane] for plane in planes], axis=2), frame)

    def color(self, red: float, green: float, blue: float) -> tuple[float, ...]:
        return tuple(float(self._light[round(value * 255)]) for value in (red, green, blue))
