"""Sampling of video frames at a given rate."""

import math
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pydantic import Field

from shared.errors import BrokenMedia
from shared.operation import Params, form
from shared.video import Frame, read_frames
from shared.video.seconds import to_fraction

_MAX_FAILURES = 20
"""Number of unreadable moments in a row after which reading stops."""
_STEP_S = Fraction(1, 4)
"""Seconds by which each step past unreadable moments exceeds the previous step. Twenty steps pass 52 seconds."""
_AT_ONCE = 200
"""Number of moments after a damaged part that are read in one pass."""
_MAX_PARTS = 3
"""Maximum number of readable parts listed in a damaged video's error."""


class SampleParams(Params):
    """Params that choose frames of a video."""

    sample_rate: float = Field(
        1.0,
        ge=0.001,
        le=240,
        description="Frames per second to use; at most all frames of the video.",
        title="Frames per second",
        json_schema_extra=form("basics", unit="fps"),
    )
    start: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="Start of the part to use, in seconds of each video.",
        title="Start",
        json_schema_extra=form("more", unit="s", widget="time", role="part_start"),
    )
    duration: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Length of the part to use, in seconds. Empty: to the end.",
        title="Length",
        json_schema_extra=form("more", unit="s", role="part_length"),
    )


@dataclass(slots=True)
class Part:
    """Times of the first and last frame of a readable part, in seconds."""

    first: Fraction
    last: Fraction


def sampled(video: Path, params: SampleParams, *, prefetch: int = 4) -> Generator[Frame, None, None]:
    """Yield the sampled frames of a video as 8-bit SDR.

    Frames after damaged parts are included. Close the generator to end early. After the last frame of a damaged video, raises BrokenMedia
    with the parts that were read.
    """
    parts: list[Part] = []
    try:
        with read_frames(
            video,
            opaque=True,
            start=params.start or None,
            duration=params.duration,
            per_second=params.sample_rate,
            to_sdr8=True,
            prefetch=prefetch,
        ) as frames:
            for frame in frames:
                parts = parts or [Part(frame.time, frame.time)]
                parts[-1].last = frame.time
                yield frame
    except BrokenMedia:
        if not parts:
            raise
        yield from _behind_damage(video, params, parts, prefetch)
        raise BrokenMedia(
            f"{video.name!r} is damaged. Pictures were taken {_in_words(parts)}; the rest could not be read. Export or upload it again."
        ) from None


def until_damage(frames: Iterable[Frame], damage: list[BrokenMedia]) -> Iterator[Frame]:
    """Yield `frames`, and add the error that ends them to `damage`.

    If the error were raised, threads that still work on the last frames would stop.
    """
    try:
        yield from frames
    except BrokenMedia as error:
        damage.append(error)


def _behind_damage(video: Path, params: SampleParams, parts: list[Part], prefetch: int) -> Iterator[Frame]:
    """Yield the sampled frames after the last of `parts`.

    Adds the readable parts to `parts`. After each further unreadable moment, more moments are skipped. After _MAX_FAILURES unreadable
    moments in a row, the rest of the video is given up.
    """
    start, rate = to_fraction(params.start), to_fraction(params.sample_rate)
    count = None if params.duration is None else math.ceil(to_fraction(params.duration) * rate)
    number, failures = math.floor((parts[-1].last - start) * rate) + 1, 1
    while failures <= _MAX_FAILURES and (count is None or number < count):
        moments = [start + moment / rate for moment in range(number, number + _AT_ONCE if count is None else min(number + _AT_ONCE, count))]
        done = 0
        try:
            with read_frames(video, opaque=True, at=moments, to_sdr8=True, prefetch=prefetch) as frames:
                for frame in frames:
                    if failures:
                        parts.append(Part(frame.time, frame.time))
                    parts[-1].last = frame.time
                    done, failures = max(bisect_right(moments, frame.time), done + 1), 0
                    yield frame
            if done < len(moments):
                return
        except BrokenMedia:
            failures += 1
            done += max(math.ceil(_STEP_S * failures * rate), 1)
        number += done


def _in_words(parts: Sequence[Part]) -> str:
    """List the first parts of a damaged video in words."""
    spans = [f"from {float(part.first):.2f} s to {float(part.last):.2f} s" for part in parts[:_MAX_PARTS]]
    return ", ".join(spans) + (f" and from {len(parts) - _MAX_PARTS} more parts" if len(parts) > _MAX_PARTS else "")
