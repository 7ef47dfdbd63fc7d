"""A decoded picture with its exact time."""

import threading
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from shared.media_info import ColorInfo
from shared.video.frames.color import matrix_or_guess, sws_matrix, tags_of
from shared.video.frames.planes import halve_toward, plane_of, planes_of

# swscale's flags for accurate rounding and full chroma. Without them, it rounds coarsely and takes the nearest chroma sample.
_ACCURATE = int(Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)
EXACT_SCALING = int(Interpolation.BICUBIC) | _ACCURATE
"""swscale's flags for a bicubic filter with accurate rounding and full chroma."""


class Reformatters(threading.local):
    """A holder of one picture converter (an swscale context) for each thread.

    Creating a context for every frame costs more than the conversion.
    """

    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A video frame: upright, with square pixels and an exact time.

    `pts` counts `time_base` units from the start of the file's timeline; `duration` is in the same units. `index` counts the frames that
    were decoded since reading started. `picture` is planar YUV (or nv12, or gray). It is shared: treat it as read-only.
    """

    pts: int
    time_base: Fraction
    duration: int
    index: int
    picture: av.VideoFrame
    reformatters: Reformatters = field(default_factory=Reformatters, repr=False)
    deinterlaced: bool = False
    """Whether the picture may contain parts of its neighbours. This is so if the file has interlaced frames."""

    @property
    def time(self) -> Fraction:
        """The presentation time in seconds."""
        return self.pts * self.time_base

    @property
    def width(self) -> int:
        return int(self.picture.width)

    @property
    def height(self) -> int:
        return int(self.picture.height)

    @property
    def color(self) -> ColorInfo:
        """The picture's colour tags."""
        return tags_of(self.picture, pixel_format=self.picture.format.name)

    def planes(self) -> tuple[NDArray[Any], ...]:
        """Return the picture's planes without a copy.

        uint8, or uint16 where samples have more than 8 bits. Planar formats give (height, width) each, chroma planes in their own smaller
        size, alpha last; nv12 gives Y and (height, width, 2).
        """
        return planes_of(self.picture)

    def luma(self) -> NDArray[Any]:
        """Return the Y plane, (height, width), without a copy.

        uint8, or uint16 in the format's own scale (0 to 1023 for 10 bits).
        """
        return plane_of(self.picture, 0)

    def alpha(self) -> NDArray[Any] | None:
        """Return the alpha plane, (height, width), without a copy.

        uint8, or uint16 in the format's own scale (0 to 1023 for 10 bits). 0 is transparent. None if the pixel format has no alpha.
        """
        last = self.picture.format.components[-1]
        return plane_of(self.picture, last.plane) if last.is_alpha else None

    def matte(self) -> NDArray[np.uint8]:
        """Return the opacity of each pixel, (height, width) uint8.

        0 is transparent, 255 opaque. It is the alpha plane if there is one, else the luma, as in a gray video that is a matte: black is 0,
        white is 255.
        """
        plane, component, full = self.alpha(), self.picture.format.components[-1], True
        if plane is None:
            plane, component, full = self.luma(), self.picture.format.components[0], self.color.range == "pc"
        black, span = (0, (1 << component.bits) - 1) if full else (16 << (component.bits - 8), 219 << (component.bits - 8))
        if black == 0 and span == 255:
            return np.array(plane, np.uint8)
        levels = np.arange(256 if plane.dtype == np.uint8 else 65536)
        table = np.clip(np.rint((levels - black) * (255 / span)), 0, 255).astype(np.uint8)
        # OpenCV's table is ten times as fast as numpy's, and takes 8 bits only.
        return np.asarray(cv2.LUT(np.ascontiguousarray(plane), table) if plane.dtype == np.uint8 else table[plane], np.uint8)

    def small_luma(self, width: int, height: int) -> NDArray[np.uint8]:
        """Average the Y plane down to (height, width), uint8.

        Values keep their stored range.
        """
        small = halve_toward(self.luma(), (width, height))
        small = cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA)
        if small.dtype == np.uint16:
            small = np.right_shift(small, self.picture.format.components[0].bits - 8)
        return small.astype(np.uint8)

    def rgb(self, size: tuple[int, int] | None = None, *, interpolation: int = Interpolation.BICUBIC) -> NDArray[np.uint8]:
        """Convert the picture to RGB, (height, width, 3) uint8.

        The picture's own matrix and range are used. `size`: (width, height) to scale to in the same step. `interpolation`: swscale's filter
        for that; AREA averages, and LANCZOS widens with the scale, so neither aliases. Rounding is accurate and chroma is full whatever the
        filter. The transfer curve and the primaries do not change: read an HDR file with `to_sdr8` for a picture that looks right.
        """
        color = self.color
        width, height = size or (self.width, self.height)
        picture = self.reformatters.reformatter.reformat(
            self.picture,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=sws_matrix(matrix_or_guess(color, self.width, self.height)),
            src_color_range=2 if color.range == "pc" else 1,
            dst_color_range=2,
            interpolation=int(interpolation) | _ACCURATE,
            threads=1,
        )
        return np.ascontiguousarray(plane_of(picture, 0))
