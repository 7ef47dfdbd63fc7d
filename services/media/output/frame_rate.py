"""Timing of output frames: source times or a constant rate."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, Protocol, TypeVar

from shared.editing.rates import constant_rate
from shared.video import VideoInfo
from shared.video.clip.rewrite import Times
from shared.video.rate_text import RateText

SOURCE, CONSTANT = "source", "constant"
FRAME_RATE = RateText(words=(SOURCE, CONSTANT), lowest=Fraction(1, 10), highest=Fraction(240))
_EARLY = Fraction(2, 5)
"""Largest time, in output frames, by which a source frame is shown early.

Without this tolerance, rounded times and those of cameras that scatter would judder. From half a frame on, a clip of twice the rate would
show its odd frames.
"""

_ROUNDING = Fraction(1, 1000)
"""Largest rounding error of times in containers, in seconds."""


class Timed(Protocol):
    """A picture with its time and duration, in units of `time_base` seconds."""

    @property
    def pts(self) -> int: ...
    @property
    def time_base(self) -> Fraction: ...
    @property
    def duration(self) -> int: ...
    @property
    def time(self) -> Fraction: ...


Picture = TypeVar("Picture", bound=Timed)


@dataclass(frozen=True, slots=True)
class Shown(Generic[Picture]):
    """A source frame and the output frames that show it.

    `first`: times of the first output frame. `count`: number of output frames, at least 1.
    """

    frame: Picture
    first: Times
    count: int


def constant(text: str, info: VideoInfo) -> Fraction | None:
    """Return the constant frame rate that `text` requests, or None.

    `info`: the clip. Returns None if the output has the source's times.
    """
    if text == SOURCE:
        return None
    return constant_rate(info.steady_rate, varies=False) if text == CONSTANT else Fraction(text)


def at_source_times(frames: Iterable[Picture]) -> Iterator[Shown[Picture]]:
    """Yield every frame once at its source time."""
    for frame in frames:
        yield Shown(frame, Times(frame.pts, frame.time_base, frame.duration), 1)


def at_constant_rate(frames: Iterable[Picture], rate: Fraction) -> Iterator[Shown[Picture]]:
    """Yield the source frames that an output of constant `rate` shows, with frame counts.

    Each output moment shows the source frame visible then. Frames that no output moment falls on are left out. The last frame is shown to
    its end, at least once.
    """
    held: tuple[Picture, int] | None = None
    first = None
    for frame in frames:
        slot = math.ceil(frame.time * rate - _EARLY)
        first = slot if first is None else first
        if held is not None and slot > held[1]:
            yield _shown(*held, slot, rate)
        held = (frame, slot if held is None else max(slot, held[1]))
    if held is not None:
        frame, slot = held
        end = frame.time + frame.duration * frame.time_base
        until = math.ceil(end * rate - _EARLY)
        # Recorders state a tick for the last frame, whose length they do not know.
        if slot / rate < end - _ROUNDING or slot / rate <= frame.time or slot == first:
            yield _shown(frame, slot, max(until, slot + 1), rate)


def _shown(frame: Picture, slot: int, until: int, rate: Fraction) -> Shown[Picture]:
    return Shown(frame, Times(slot, 1 / rate, 1), until - slot)
