"""Reading of a video file's frames, each with its exact time.

A thread decodes them ahead.
"""

import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

from shared.errors import ReelwrightError
from shared.video.frames.display import BLACK
from shared.video.frames.frame import Frame, Reformatters
from shared.video.frames.planes import bytes_of
from shared.video.limits import Limits
from shared.video.reading import hardware
from shared.video.reading.decoding.durations import with_durations
from shared.video.reading.decoding.picture_stream import PictureStream
from shared.video.reading.decoding.picture_times import TimedPicture
from shared.video.reading.decoding.sampling import Moments, at_times, evenly, sampled
from shared.video.reading.decoding.skipping import Skip
from shared.video.reading.open_input import open_input
from shared.video.seconds import Seconds, to_fraction
from shared.video.threads.prefetch import Prefetcher

log = logging.getLogger(__name__)

_DENSE = Fraction(1, 5)
"""Sampling rate in pictures a second from which on nearly all pictures are decoded. Encoders put a keyframe every five to ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    path: str
    start: Fraction | None
    duration: Fraction | None
    every: int
    per_second: Fraction | None
    at: tuple[Fraction, ...] | None
    shown_at_start: bool
    limits: Limits
    skip: Skip
    to_sdr8: bool
    keys_only: tuple[tuple[int, int], ...] = ()
    opaque: bool = False
    background: str = BLACK
    fields: bool = False
    from_key: bool = False
    hardware: bool = False


def read_frames(
    path: str | os.PathLike[str],
    *,
    start: Seconds | None = None,
    duration: Seconds | None = None,
    every: int = 1,
    per_second: Seconds | None = None,
    at: Sequence[Seconds] | None = None,
    limits: Limits | None = None,
    skip: Skip = "none",
    prefetch: int = 8,
    to_sdr8: bool = False,
    shown_at_start: bool = False,
    keys_only: Sequence[tuple[int, int]] = (),
    opaque: bool = False,
    background: str = BLACK,
    fields: bool = False,
    from_key: bool = False,
) -> Prefetcher[Frame]:
    """Read a video's frames in display order.

    Frames are upright, deinterlaced, with square pixels.

    - `start`, `duration`: only frames that begin in this part, in seconds from the start of the file's timeline. Times stay the file's.
    - `every`: only each n-th of them.
    - `per_second`: only the first frame at or after each moment `start` + k / `per_second`. Frames between are not decoded where possible
      (a frame a minute costs next to nothing), and `Frame.index` counts the frames returned.
    - `at`: only the first frame at or after each of these rising times, with as little decoding as `per_second`; not with `start`,
      `duration`, `every`, `per_second` or `fields`.
    - `skip`: "nonref" leaves out frames that no other frame refers to: cheaper, and fine for analysis. "nonkey" leaves out all but the
      keyframes: cheapest. "steady" is "nonref" except next to packets far larger than usual: for finding changes. "rough" is "steady"
      without the deblocking filter: cheaper, but pictures are not quite those that a player shows.
    - `limits`: size limits of untrusted files, by default those of the process's settings.
    - `prefetch`: number of frames decoded ahead.
    - `to_sdr8`: 8 bits per sample, PQ and HLG tone-mapped to BT.709. Otherwise the file's own depth and colours (see `probe`).
    - `shown_at_start`: begin with the frame shown at `start`, even if it began earlier; after the end that is the last frame.
    - `opaque`: transparent parts are put on `background`, "#rrggbb", and no alpha is returned. Otherwise colours behind transparency are
      returned as stored.
    - `fields`: a frame for each field of interlaced pictures, at its own time; not with `per_second` or `keys_only`.
    - `from_key`: with `start`; begin with the first keyframe at or after `start`, and decode nothing before it, such as damage.
    - `keys_only`: rising spans of time (first, first after; in units of the file's time base) of which only keyframes are decoded.

    Every frame has its exact time, also where the rate varies. Use it as a context manager, or close it, to end early. The iteration raises
    UnsupportedMedia, TooLarge or BrokenMedia; a file that breaks half-way raises BrokenMedia, naming the second, after the frames before.
    """
    if every < 1:
        raise ValueError(f"{every = } must be at least 1")
    if per_second is not None and (per_second <= 0 or every != 1):
        raise ValueError(f"{per_second = } must be more than 0, and cannot be combined with {every = }")
    if shown_at_start and (per_second is not None or every != 1):
        raise ValueError("shown_at_start cannot be combined with every or per_second")
    if fields and (per_second is not None or keys_only):
        raise ValueError("fields cannot be combined with per_second or keys_only")
    if at is not None and (fields or every != 1 or any(limit is not None for limit in (start, duration, per_second))):
        raise ValueError("at cannot be combined with start, duration, every, per_second or fields")
    if prefetch < 1:
        raise ValueError(f"{prefetch = } must be at least 1")
    request = _Request(
        path=os.fspath(path),
        start=None if start is None else to_fraction(start),
        duration=None if duration is None else to_fraction(duration),
        every=every,
        per_second=None if per_second is None else to_fraction(per_second),
        at=None if at is None else tuple(map(to_fraction, at)),
        shown_at_start=shown_at_start,
        limits=limits or Limits.current(),
        skip=skip,
        to_sdr8=to_sdr8,
        keys_only=tuple(keys_only),
        opaque=opaque,
        background=background,
        fields=fields,
        from_key=from_key,
    )
    return Prefetcher(lambda: _frames(request), size=prefetch, name="read_frames", weight=lambda frame: bytes_of(frame.picture))


def _frames(request: _Request) -> Iterator[Frame]:
    """Yield the requested frames, decoded in hardware where that is faster.

    If hardware fails, software goes on from there and reports errors.
    """
    last: Frame | None = None
    if _in_hardware(request):
        try:
            for frame in _decoded(replace(request, hardware=True)):
                last = frame
                yield frame
            return
        except ReelwrightError as error:
            log.info("decoding in hardware failed and goes on in software: %s", error.detail)
    # Read from the start of the part again, so that `every` and `index` count the same.
    after = None if last is None else last.pts
    for frame in _decoded(request):
        if after is None or frame.pts > after:
            yield frame


def _in_hardware(request: _Request) -> bool:
    """Return whether to decode in hardware.

    For a few pictures the set-up would take longer than it saves.
    """
    sparse = request.per_second is not None and request.per_second < _DENSE
    reads_few = sparse or request.at is not None or request.skip != "none" or bool(request.keys_only)
    if hardware.device_choice() == "cpu" or reads_few or not hardware.cuda_works():
        return False

    def run(gpu: bool) -> None:
        with _pictures(replace(request, hardware=gpu)) as pictures:
            for _ in islice(pictures.all(), hardware.TRIAL_PICTURES):
                pass

    try:
        with _pictures(request) as pictures:
            return hardware.use_hardware(pictures.stream, run)
    except ReelwrightError:
        # Reading the file raises this error again.
        return False


def _decoded(request: _Request) -> Iterator[Frame]:
    first = request.start or Fraction(0)
    if request.at is not None:
        yield from _sampled(request, at_times(request.at))
        return
    if request.per_second is not None:
        until = None if request.duration is None else first + request.duration
        yield from _sampled(request, evenly(first, request.per_second, until), until)
        return
    if request.from_key:
        with _pictures(request) as pictures:
            yield from _chosen(request, pictures, pictures.from_key(math.ceil(first / pictures.base)))
        return
    if first > 0:
        with _pictures(request) as pictures:
            timed_pictures = pictures.from_about(int(first / pictures.base))
            if timed_pictures is not None:
                yield from _chosen(request, pictures, timed_pictures)
                return
    with _pictures(request) as pictures:
        yield from _chosen(request, pictures, pictures.all())


def _sampled(request: _Request, moments: Callable[[Fraction], Moments], until: Fraction | None = None) -> Iterator[Frame]:
    reformatters = Reformatters()
    with closing(sampled(lambda: _pictures(request), moments, until=until)) as samples:
        for index, (pictures, (picture, pts)) in enumerate(samples):
            request.limits.check_duration(float(pts * pictures.base))
            yield Frame(pts, pictures.base, pictures.duration_of(picture), index, picture, reformatters)


@contextmanager
def _pictures(request: _Request) -> Iterator[PictureStream]:
    with open_input(request.path, limits=request.limits, hardware=request.hardware) as container:
        yield PictureStream(
            container,
            request.path,
            limits=request.limits,
            to_sdr8=request.to_sdr8,
            skip=request.skip,
            keys_only=request.keys_only,
            opaque=request.opaque,
            background=request.background,
            fields=request.fields,
        )


def _chosen(request: _Request, pictures: PictureStream, timed_pictures: Iterator[TimedPicture]) -> Iterator[Frame]:
    """Yield the frames of `timed_pictures` that the request selects."""
    base = pictures.base
    first = request.start or Fraction(0)
    # Half a tick earlier: a rounded frame time still selects that frame.
    lower = first / base - Fraction(1, 2) if first > 0 else None
    upper = None if request.duration is None else (first + request.duration) / base - Fraction(1, 2)
    latest = request.limits.max_duration_s / base
    reformatters = Reformatters()
    index = 0
    earlier: Frame | None = None
    for picture, pts, duration in with_durations(pictures, timed_pictures, upper, request.path, request.limits):
        if lower is not None and pts < lower:
            earlier = Frame(pts, base, duration, 0, picture, reformatters) if request.shown_at_start else None
            continue
        if earlier is not None and lower is not None and pts >= lower + 1:
            yield earlier
            index += 1
        earlier = None
        if pts > latest:
            request.limits.check_duration(float(pts * base))
        if index % request.every == 0:
            yield Frame(pts, base, duration, index, picture, reformatters, pictures.deinterlacing)
        index += 1
    if earlier is not None:
        yield earlier
