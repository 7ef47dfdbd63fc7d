"""Frames of a video file with exact times, decoded ahead of whoever uses them."""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.container
import av.error

from shared.errors import BrokenMedia
from shared.video.channel import Ahead
from shared.video.frame import Frame, Reformatters
from shared.video.limits import Limits
from shared.video.opening import main_video, open_input, time_base_of, timeline_zero
from shared.video.upright import Upright

Seconds = Fraction | float | int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    path: str
    start: Fraction | None
    duration: Fraction | None
    every: int
    limits: Limits
    skip: Literal["none", "nonref"]
    to_sdr8: bool


def exact(seconds: Seconds) -> Fraction:
    """Seconds as a fraction; a float is taken as the simplest fraction that it can stand for (0.1 is 1/10)."""
    return seconds if isinstance(seconds, Fraction) else Fraction(seconds).limit_denominator(1_000_000)


def read_frames(
    path: str | os.PathLike[str],
    *,
    start: Seconds | None = None,
    duration: Seconds | None = None,
    every: int = 1,
    limits: Limits | None = None,
    skip: Literal["none", "nonref"] = "none",
    prefetch: int = 8,
    to_sdr8: bool = False,
) -> Ahead[Frame]:
    """The frames of a video in the order they are shown, as displayed: upright, deinterlaced, with square pixels.

    `start`, `duration`: only frames that begin at or after `start` and before `start + duration`, in seconds from the start of the file's
    timeline; times stay those of the file. `every`: only each n-th of them. `skip`: "nonref" leaves out the frames that no other frame
    needs, which is cheaper and fine for analysis. `prefetch`: how many frames are decoded ahead. `to_sdr8`: 8 bits a sample, PQ and
    HLG tone-mapped to BT.709; otherwise the file's own depth and colours (`probe` tells which).

    Every frame has its exact time, also where the rate varies. Use it as a context manager, or close it, to end early. Raises
    UnsupportedMedia, TooLarge or BrokenMedia from the iteration; a file that breaks half-way raises BrokenMedia, naming the second, after
    the frames before it.
    """
    if every < 1:
        raise ValueError(f"{every = } must be at least 1")
    if prefetch < 1:
        raise ValueError(f"{prefetch = } must be at least 1")
    wanted = _Wanted(
        path=os.fspath(path),
        start=None if start is None else exact(start),
        duration=None if duration is None else exact(duration),
        every=every,
        limits=limits or Limits(),
        skip=skip,
        to_sdr8=to_sdr8,
    )
    return Ahead(lambda: _frames(wanted), size=prefetch, name="read_frames")


def _frames(wanted: _Wanted) -> Iterator[Frame]:
    with open_input(wanted.path, limits=wanted.limits) as container:
        stream = main_video(container, wanted.path)
        base = time_base_of(stream)
        offset = int(timeline_zero(container, stream) / base)
        configure_decoder(stream.codec_context, wanted.limits)
        if wanted.skip == "nonref":
            stream.codec_context.skip_frame = "NONREF"
        upright = Upright(pixel_ratio=stream.sample_aspect_ratio or None, time_base=base, limits=wanted.limits, to_sdr8=wanted.to_sdr8)
        first = None if wanted.start is None else wanted.start / base - Fraction(1, 2)
        last = None if wanted.duration is None else ((wanted.start or 0) + wanted.duration) / base - Fraction(1, 2)
        default = _default_duration(stream, base)
        reformatters = Reformatters()
        index = 0
        for picture, pts in _from(container, stream, offset, wanted, upright, base):
            if last is not None and pts >= last:
                return
            if first is not None and pts < first:
                continue
            wanted.limits.check_duration(float(pts * base))
            if index % wanted.every == 0:
                duration = _in_units(picture.duration or 0, picture.time_base, base) or default
                yield Frame(pts, base, duration, index, picture, reformatters)
            index += 1


def configure_decoder(context: Any, limits: Limits) -> None:
    """Let a decoder use all cores and refuse pictures that are too large before it makes room for them."""
    context.thread_type = "AUTO"
    context.thread_count = 0
    context.options = {"max_pixels": str(limits.max_pixels)}


def _from(
    container: av.container.InputContainer, stream: Any, offset: int, wanted: _Wanted, upright: Upright, base: Fraction
) -> Iterator[tuple[av.VideoFrame, int]]:
    """Upright pictures and their times from `wanted.start` or a little before.

    Containers seek by decoding order, or only roughly: where the first picture found is later than what is asked for, it is tried again
    from further back.
    """
    if not wanted.start:
        yield from _decoded(container, stream, offset, wanted, upright, base)
        return
    target = int(wanted.start / base)
    back = 0
    while True:
        position = target - back
        container.seek(max(position, 0) + offset, stream=stream)
        pictures = _decoded(container, stream, offset, wanted, upright, base)
        head = next(pictures, None)
        if position <= 0 or (head is not None and head[1] <= target):
            break
        pictures.close()
        back = max(int(2 / base), 2 * back)
    if head is not None:
        yield head
        yield from pictures


def _decoded(
    container: av.container.InputContainer, stream: Any, offset: int, wanted: _Wanted, upright: Upright, base: Fraction
) -> Generator[tuple[av.VideoFrame, int], None, None]:
    """Upright pictures with strictly rising times in units of `base`, from where the container stands."""
    previous: int | None = None
    step = _default_duration(stream, base)
    packets = container.demux(stream)
    ended = False
    while not ended:
        try:
            packet = next(packets, None)
            pictures = packet.decode() if packet is not None else []
            ended = packet is None
        except av.error.EOFError:
            pictures, ended = [], True
        except av.error.FFmpegError as error:
            raise _broken(wanted.path, previous, base, error) from error
        ready = [shown for picture in pictures for shown in upright.push(_dated(picture))]
        if ended:
            ready += upright.flush()
        for picture in ready:
            if picture.pts is None:
                pts = 0 if previous is None else previous + step
            else:
                pts = _in_units(picture.pts, picture.time_base, base) - offset
            if previous is not None and pts <= previous:
                pts = previous + 1
            previous = pts
            yield picture, pts
    if previous is None:
        raise BrokenMedia(f"{Path(wanted.path).name!r} holds no frame that can be decoded. Export or upload it again.")


def _dated(picture: av.VideoFrame) -> av.VideoFrame:
    if picture.pts is None:
        picture.pts = picture.dts
    return picture


def _in_units(value: int, unit: Fraction | None, base: Fraction) -> int:
    return value if unit is None or unit == base else round(value * unit / base)


def _default_duration(stream: Any, base: Fraction) -> int:
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return max(round(1 / (rate * base)), 1)


def _broken(path: str, previous: int | None, base: Fraction, error: Exception) -> BrokenMedia:
    second = 0.0 if previous is None else float(previous * base)
    detail = str(error).partition(":")[0]
    return BrokenMedia(f"{Path(path).name!r} breaks at second {second:.2f} ({detail}). Export or upload it again, or cut it before that.")
