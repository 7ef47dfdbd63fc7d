"""Durations of decoded frames: each lasts until the next frame begins."""

import os
from collections.abc import Iterator
from fractions import Fraction

import av

from shared.video.limits import Limits
from shared.video.reading.decoding.picture_stream import PictureStream
from shared.video.reading.decoding.picture_times import TimedPicture
from shared.video.reading.open_input import timeline_zero
from shared.video.reading.times.clock import clock_of
from shared.video.reading.times.stated_end import stated_end


def with_durations(
    pictures: PictureStream, timed_pictures: Iterator[TimedPicture], until: Fraction | None, path: str | os.PathLike[str], limits: Limits
) -> Iterator[tuple[av.VideoFrame, int, int]]:
    """Yield the frames that begin before `until`, with their times and durations.

    `pictures`: the stream of `path` that they come from; times are in units of its `base`. The last picture is shown until the track's end,
    or else as long as its packet says. Where reading fails, the picture before is yielded first.
    """
    waiting: TimedPicture | None = None
    try:
        for picture, pts in timed_pictures:
            if waiting is not None:
                yield (*waiting, pts - waiting[1])
                waiting = None
            if until is not None and pts >= until:
                return
            waiting = (picture, pts)
    except Exception:
        if waiting is not None:
            yield (*waiting, pictures.duration_of(waiting[0]))
        raise
    if waiting is not None:
        yield (*waiting, _last_duration(pictures, *waiting, path, limits))


def _last_duration(pictures: PictureStream, picture: av.VideoFrame, pts: int, path: str | os.PathLike[str], limits: Limits) -> int:
    stream, base = pictures.stream, pictures.base
    zero = timeline_zero(stream.container, stream)
    end = None if clock_of(stream.container, path, limits).joined else stated_end(path, stream.container, stream, pts * base + zero)
    return pictures.duration_of(picture) if end is None else max(round((end - zero) / base) - pts, 1)
