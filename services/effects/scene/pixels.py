"""The planes that effects compute on, and conversion between them and frames: stored YUV or linear light."""

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
    """Range of planes: `floor`, the value of black in each, and `span`, from black to white in the first (in all, for light)."""

    floor: tuple[float, ...]
    span: float


class Pixels(Protocol):
    """Conversion of frames to planes and of planes to pictures."""

    levels: Levels

    def planes(self, frame: Frame) -> Planes:
        """Return the planes of a frame; treat them as read-only."""

    def small(self, frame: Frame, small: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the planes of a frame scaled down, (height, width, planes); `small` are its small planes in YUV."""

    def blank(self, frame: Frame) -> Planes:
        """Return writable planes of the same shapes, to be handed to `picture`."""

    def picture(self, planes: Planes, frame: Frame) -> av.VideoFrame:
        """Return planes made by `blank` as a picture with the colour tags of `frame`."""

    def color(self, red: float, green: float, blue: float) -> tuple[float, ...]:
        """Return an sRGB colour, each part from 0 to 1, as a value for each plane."""


def pixels_for(frame: Frame, *, linear_light: bool) -> Pixels:
    """Return the conversion for a clip's frames, 8 bits per sample, chosen by one of them."""
    return LinearPixels() if linear_light else YuvPixels(frame)


class YuvPixels:
    """Planes as they are stored: 8 bits per sample in the clip's own chroma format, without transparency."""

    def __init__(self, frame: Frame) -> None:
        color = frame.color
        count = min(len(frame.picture.format.components), 3)
        self.levels = Levels((0.0 if color.range == "pc" else 16.0, 128.0, 128.0)[:count], 255.0 if color.range == "pc" else 219.0)
        self._matrix = matrix_or_guess(color, frame.width, frame.height)
        name = str(frame.picture.format.name)
        # nv12, from hardware decoders, has the samples of yuv420p with both chroma planes in one.
        self._format = "yuv420p" if name == "nv12" else name.replace("yuva", "yuv")
        self._made: dict[int, av.VideoFrame] = {}

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
        self._made[id(planes)] = picture
        return planes

    def picture(self, planes: Planes, frame: Frame) -> av.VideoFrame:
        picture = self._made.pop(id(planes))
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
    """Planes of red, green and blue light, 16 bits each, through the transfer curve of sRGB (IEC 61966-2-1).

    The curve's linear toe makes the way to light and back exact for all 256 values.
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
