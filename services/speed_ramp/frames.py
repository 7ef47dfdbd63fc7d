"""Which source picture each output frame shows, and cross-fades between two.

Output frame k stands at k / rate seconds; the clock says which moment of the source that is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np

from services.speed_ramp.clock import Clock
from shared.video import Frame, VideoInfo
from shared.video.color import apply_tags
from shared.video.frame import picture_from

_STANDARD_RATES = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "120"))
_HIGHEST_RATE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Output frame `number` shows `before`, or a mix with `weight` (0 to 1) of `after`."""

    number: int
    before: Frame
    after: Frame
    weight: float

    def nearest(self) -> av.VideoFrame:
        """The source picture that is nearer in time; half-way between two it is the earlier one."""
        return (self.after if self.weight > 0.5 + 1e-6 else self.before).picture

    def blend(self) -> av.VideoFrame:
        """Both pictures mixed by their nearness, in the format (8 bits or more a sample) and with the tags of the source."""
        before, after = self.before.picture, self.after.picture
        same = (before.width, before.height, before.format.name) == (after.width, after.height, after.format.name)
        if not same or not 1 / 512 < self.weight < 511 / 512:
            return self.nearest()
        mixed = tuple(
            cv2.addWeighted(np.ascontiguousarray(a), 1 - self.weight, np.ascontiguousarray(b), self.weight, 0)
            for a, b in zip(self.before.planes(), self.after.planes(), strict=True)
        )
        picture = picture_from(mixed, before.width, before.height, before.format.name)
        apply_tags(picture, self.before.color)
        return picture


@dataclass(slots=True)
class Seen:
    """What reading found out by the end: when the video ends on the source's timeline, and how many frames it has."""

    end: Fraction = Fraction(0)
    frames: int = 0


def picks(frames: Iterable[Frame], clock: Clock, rate: Fraction, seen: Seen) -> Iterator[Pick]:
    """What each output frame shows, in order and without holes, at `rate` frames a second; `seen` is kept up to date.

    The last output frame ends within half a frame of the last source frame's end on the clock; there is always at least one. Where
    the source holds a picture for longer than one frame, it stays until one frame before the next picture comes.
    """
    interval = float(1 / rate)
    before: Frame | None = None
    number = 0
    for frame in frames:
        if before is None:
            number = _frame_at(clock, frame.time, rate)
        else:
            yield from _between(before, frame, number, clock, rate, interval)
            number = max(number, _first_from(clock, frame.time, rate))
        before = frame
        seen.end = frame.time + (frame.duration * frame.time_base or 1 / rate)
        seen.frames += 1
    if before is None:
        return
    for last in range(number, max(_frame_at(clock, seen.end, rate), number + (number == 0))):
        yield Pick(number=last, before=before, after=before, weight=0.0)


def constant_rate(info: VideoInfo) -> Fraction:
    """Frames a second to write a clip with: its own exact rate; for a varying one the next standard rate that is not below it."""
    rate = info.rate if info.frame_rate and info.rate > 0 else Fraction(25)
    if not info.variable_frame_rate:
        return min(rate, Fraction(_HIGHEST_RATE))
    # 1 %: a few dropped frames must not push 30 to 50.
    return next((standard for standard in _STANDARD_RATES if standard >= rate * Fraction(99, 100)), Fraction(_HIGHEST_RATE))


def _between(before: Frame, after: Frame, number: int, clock: Clock, rate: Fraction, interval: float) -> Iterator[Pick]:
    numbers = range(number, _first_from(clock, after.time, rate))
    if not numbers:
        return
    moments = clock.source(np.array([float(n / rate) for n in numbers]))
    window = min(float(after.time - before.time), interval)
    weights = np.clip(1 - (float(after.time) - moments) / window, 0, 1)
    for index, weight in zip(numbers, weights, strict=True):
        yield Pick(number=index, before=before, after=after, weight=float(weight))


def _first_from(clock: Clock, time: Fraction, rate: Fraction) -> int:
    """Number of the first output frame at or after source time `time`; a hair before it counts as at it."""
    return int(np.ceil(float(clock.out(float(time))) * float(rate) - 1e-6))


def _frame_at(clock: Clock, time: Fraction, rate: Fraction) -> int:
    """Number of the output frame nearest to source time `time`."""
    return max(round(float(clock.out(float(time))) * float(rate)), 0)
