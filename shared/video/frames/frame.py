"""One decoded picture with its exact time."""

import threading
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from shared.video.frames.color import matrix_or_guess, sws_matrix, tags_of
from shared.video.info import ColorInfo

# Without these flags swscale rounds coarsely and takes the nearest chroma sample.
EXACT = int(Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)


class Reformatters(threading.local):
    """One swscale context a thread: making one for every frame costs more than the conversion."""

    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture of a video, upright and with square pixels.

    `pts` counts `time_base` units from the start of the file's timeline; `duration` is in the same units. `index` counts the frames that
    were decoded from where reading started. `picture` is planar YUV (or nv12, or gray); who changes its pixels changes them for everybody.
    """

    pts: int
    time_base: Fraction
    duration: int
    index: int
    picture: av.VideoFrame
    reformatters: Reformatters = field(default_factory=Reformatters, repr=False)

    @property
    def time(self) -> Fraction:
        """When the picture is shown, in seconds."""
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
        """The picture's planes as they lie in memory, no copy: uint8, or uint16 where samples have more than 8 bits.

        Planar formats give (height, width) each, chroma planes in their own smaller size, alpha last; nv12 gives Y and (height, width, 2).
        """
        return planes_of(self.picture)

    def luma(self) -> NDArray[Any]:
        """The Y plane, (height, width), no copy: uint8, or uint16 in the format's own scale (0 to 1023 for 10 bits)."""
        return plane_of(self.picture, 0)

    def small_luma(self, width: int, height: int) -> NDArray[np.uint8]:
        """The Y plane averaged down to (height, width), uint8, in the range it is stored in."""
        small: NDArray[Any] = self.luma()
        # Halving is several times as fast as any other averaging, and what it leaves to do is little.
        while all(now % 2 == 0 and now // 2 >= wanted for now, wanted in zip(small.shape, (height, width), strict=True)):
            small = cv2.resize(small, (small.shape[1] // 2, small.shape[0] // 2), interpolation=cv2.INTER_AREA)
        small = cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA)
        if small.dtype == np.uint16:
            small = np.right_shift(small, self.picture.format.components[0].bits - 8)
        return small.astype(np.uint8)

    def rgb(self, size: tuple[int, int] | None = None, *, interpolation: int = EXACT) -> NDArray[np.uint8]:
        """The picture as (height, width, 3) uint8 in R, G, B order, converted with its own matrix and range.

        `size`: (width, height) to scale it to in the same go, with the flags of swscale in `interpolation`. The transfer curve and the
        primaries stay what they are: read an HDR file with `to_sdr8` to get a picture that looks right.
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
            interpolation=EXACT,
            threads=1,
        )
        return np.ascontiguousarray(plane_of(picture, 0))


def bytes_of(picture: av.VideoFrame) -> int:
    """About how much memory a picture takes."""
    return int(picture.width * picture.height * picture.format.padded_bits_per_pixel) // 8


def planes_of(picture: av.VideoFrame) -> tuple[NDArray[Any], ...]:
    """The planes of a PyAV frame as arrays that share its memory."""
    return tuple(plane_of(picture, index) for index in range(len(picture.planes)))


def plane_of(picture: av.VideoFrame, index: int) -> NDArray[Any]:
    """One plane of a PyAV frame as a writable array that shares its memory: (h, w), or (h, w, n) where n samples are interleaved."""
    parts = [part for part in picture.format.components if part.plane == index]
    dtype = np.dtype(np.uint16 if parts[0].bits > 8 else np.uint8)
    plane: Any = picture.planes[index]
    # The plane's own size is that of the frame as allocated; the component's is rounded up for odd pictures.
    height, width, count = parts[0].height, parts[0].width, len(parts)
    if abs(plane.line_size) % dtype.itemsize:
        raise ValueError(f"lines of {plane.line_size} bytes do not hold whole {dtype} samples")
    rows: NDArray[Any] = np.frombuffer(plane, dtype).reshape(height, -1)
    if plane.line_size < 0:
        rows = rows[::-1]
    rows = rows[:, : width * count]
    return rows if count == 1 else rows.reshape(height, width, count)


def empty_picture(width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """A new PyAV frame with memory for its planes, not filled."""
    return av.VideoFrame(width, height, pixel_format)


def picture_from(planes: tuple[NDArray[Any], ...], width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """A new PyAV frame with a copy of the given planes, which have the shapes that `planes_of` gives.

    Raises ValueError if the number of planes or a shape does not fit the format.
    """
    picture = empty_picture(width, height, pixel_format)
    targets = planes_of(picture)
    if len(targets) != len(planes):
        raise ValueError(f"{pixel_format} has {len(targets)} planes, not {len(planes)}")
    for target, plane in zip(targets, planes, strict=True):
        if target.shape != plane.shape:
            raise ValueError(f"a plane of {pixel_format} at {width}x{height} has the shape {target.shape}, not {plane.shape}")
        np.copyto(target, plane, casting="same_kind")
    return picture
