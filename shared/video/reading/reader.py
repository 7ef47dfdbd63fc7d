"""Frames of a video file with exact times, decoded ahead of whoever uses them."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

from shared.errors import ReelwrightError
from shared.video.frames.frame import Frame, Reformatters
from shared.video.frames.planes import bytes_of
from shared.video.limits import Limits
from shared.video.prefetch import Prefetcher
from shared.video.reading import hardware
from shared.video.reading.decode import Pictures, Shown, Skip
from shared.video.reading.open_input import open_input
from shared.video.reading.sampling import sampled
from shared.video.seconds import Seconds, to_fraction

log = logging.getLogger(__name__)

_DENSE = Fraction(1, 5)
"""Pictures a second from which on nearly all that lies between them is decoded: encoders put a keyframe every five to ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    path: str
    start: Fraction | None
    duration: Fraction | None
    every: int
    per_second: Fraction | None
    shown_at_start: bool
    limits: Limits
    skip: Skip
    to_sdr8: bool
    keys_only: tuple[tuple[int, int], ...] = ()
    hardware: bool = False


def read_frames(
    path: str | os.PathLike[str],
    *,
    start: Seconds | None = None,
    duration: Seconds | None = None,
    every: int = 1,
    per_second: Seconds | None = None,
    limits: Limits | None = None,
    skip: Skip = "none",
    prefetch: int = 8,
    to_sdr8: bool = False,
    shown_at_start: bool = False,
    keys_only: Sequence[tuple[int, int]] = (),
) -> Prefetcher[Frame]:
    """The frames of a video in the order they are shown, as displayed: upright, deinterlaced, with square pixels.

    `start`, `duration`: only frames that begin at or after `start` and before `start + duration`, in seconds from the start of the
    file's timeline; times stay those of the file. `every`: only each n-th of them. `per_second`: only the first that begins at or after
    each moment `start` + k / `per_second`; what lies between is passed over without decoding it where it can be (a frame a minute costs
    next to nothing), and `Frame.index` counts the frames handed out. `skip`: "nonref" leaves out the frames that no other frame needs,
    which is cheaper and fine for analysis; "nonkey" all but the keyframes, which is cheapest; "rough" as "nonref", except next to a packet
    that is far larger than usual, and with the edges of blocks unsmoothed: for finding changes. `prefetch`: how many frames are decoded
    ahead. `to_sdr8`: 8 bits a sample, PQ and HLG tone-mapped to BT.709; otherwise the file's own depth and colours (`probe` tells
    which). `shown_at_start`: begin with the frame that is shown at `start`, though it began earlier; after the end that is the last one.

    `keys_only`: spans of time (first, and first after; in units of the file's time base, rising) of which nothing but keyframes is decoded.

    Every frame has its exact time, also where the rate varies. Use it as a context manager, or close it, to end early. Raises
    UnsupportedMedia, TooLarge or BrokenMedia from the iteration; a file that breaks half-way raises BrokenMedia, naming the second, after
    the frames before it.
    """
    if every < 1:
        raise ValueError(f"{every = } must be at least 1")
    if per_second is not None and (per_second <= 0 or every != 1):
        raise ValueError(f"{per_second = } must be more than 0, and cannot be combined with {every = }")
    if shown_at_start and (per_second is not None or every != 1):
        raise ValueError("shown_at_start cannot be combined with every or per_second")
    if prefetch < 1:
        raise ValueError(f"{prefetch = } must be at least 1")
    wanted = _Wanted(
        path=os.fspath(path),
        start=None if start is None else to_fraction(start),
        duration=None if duration is None else to_fraction(duration),
        every=every,
        per_second=None if per_second is None else to_fraction(per_second),
        shown_at_start=shown_at_start,
        limits=limits or Limits.in_force(),
        skip=skip,
        to_sdr8=to_sdr8,
        keys_only=tuple(keys_only),
    )
    return Prefetcher(lambda: _frames(wanted), size=prefetch, name="read_frames", weight=lambda frame: bytes_of(frame.picture))


def _frames(wanted: _Wanted) -> Iterator[Frame]:
    """The frames, decoded in hardware where that is faster. What it fails at is decoded in software, which also says what is wrong."""
    last: Frame | None = None
    if _in_hardware(wanted):
        try:
            for frame in _decoded(replace(wanted, hardware=True)):
                last = frame
                yield frame
            return
        except ReelwrightError as error:
            log.info("decoding in hardware failed and goes on in software: %s", error.detail)
    # From the start of what was asked for, so that all that depends on it (every, index) is the same.
    after = None if last is None else last.pts
    for frame in _decoded(wanted):
        if after is None or frame.pts > after:
            yield frame


def _in_hardware(wanted: _Wanted) -> bool:
    """Whether the file is read in hardware: for a few pictures of it, setting that up would take longer."""
    sparse = wanted.per_second is not None and wanted.per_second < _DENSE
    few = sparse or wanted.skip != "none" or bool(wanted.keys_only)
    if hardware.wanted() == "cpu" or few or not hardware.cuda_works():
        return False

    def run(gpu: bool) -> None:
        with _pictures(replace(wanted, hardware=gpu)) as pictures:
            for _ in islice(pictures.all(), hardware.TRIAL_PICTURES):
                pass

    try:
        with _pictures(wanted) as pictures:
            return hardware.use_hardware(pictures.stream, run)
    except ReelwrightError:
        # Told by whoever reads it.
        return False


def _decoded(wanted: _Wanted) -> Iterator[Frame]:
    first = wanted.start or Fraction(0)
    if wanted.per_second is not None:
        yield from _sampled(wanted, first, wanted.per_second)
        return
    if first > 0:
        with _pictures(wanted) as pictures:
            found = pictures.from_about(int(first / pictures.base))
            if found is not None:
                yield from _chosen(wanted, pictures, found)
                return
    with _pictures(wanted) as pictures:
        yield from _chosen(wanted, pictures, pictures.all())


def _sampled(wanted: _Wanted, first: Fraction, per_second: Fraction) -> Iterator[Frame]:
    reformatters = Reformatters()
    until = None if wanted.duration is None else first + wanted.duration
    with closing(sampled(lambda: _pictures(wanted), start=first, per_second=per_second, until=until)) as found:
        for index, (pictures, (picture, pts)) in enumerate(found):
            wanted.limits.check_duration(float(pts * pictures.base))
            yield Frame(pts, pictures.base, pictures.duration_of(picture), index, picture, reformatters)


@contextmanager
def _pictures(wanted: _Wanted) -> Iterator[Pictures]:
    with open_input(wanted.path, limits=wanted.limits, hardware=wanted.hardware) as container:
        yield Pictures(container, wanted.path, limits=wanted.limits, to_sdr8=wanted.to_sdr8, skip=wanted.skip, keys_only=wanted.keys_only)


def _chosen(wanted: _Wanted, pictures: Pictures, found: Iterator[Shown]) -> Iterator[Frame]:
    """The frames of `found` that were asked for."""
    base = pictures.base
    first = wanted.start or Fraction(0)
    # Half a tick: a time that was rounded on its way here still means the frame that it was taken from.
    lower = first / base - Fraction(1, 2) if first > 0 else None
    upper = None if wanted.duration is None else (first + wanted.duration) / base - Fraction(1, 2)
    reformatters = Reformatters()
    index = 0
    earlier: Shown | None = None
    for picture, pts in found:
        if upper is not None and pts >= upper:
            return
        if lower is not None and pts < lower:
            earlier = (picture, pts) if wanted.shown_at_start else None
            continue
        if earlier is not None and lower is not None and pts >= lower + 1:
            yield Frame(earlier[1], base, pictures.duration_of(earlier[0]), 0, earlier[0], reformatters)
            index += 1
        earlier = None
        wanted.limits.check_duration(float(pts * base))
        if index % wanted.every == 0:
            yield Frame(pts, base, pictures.duration_of(picture), index, picture, reformatters)
        index += 1
    if earlier is not None:
        yield Frame(earlier[1], base, pictures.duration_of(earlier[0]), 0, earlier[0], reformatters)
