"""Which source picture each output frame shows, and cross-fades between two.

Output frame k stands at k / rate seconds; the clock says which moment of the source that is.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np

from services.speed_ramp.curve.clock import Clock
from shared.video import Frame
from shared.video.frames.color import apply_tags
from shared.video.frames.planes import picture_from

_HAIR = 1e-6  # of an output frame: more than rounding, less than any time base


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Output frame `number` shows `before` with `weight` (0 to 1) of `after` mixed in."""

    number: int
    before: Frame
    after: Frame
    weight: float

    def picture(self) -> av.VideoFrame:
        """The picture to write, in the format (8 bits or more a sample) and with the tags of the source."""
        before, after = self.before.picture, self.after.picture
        same = (before.width, before.height, before.format.name) == (after.width, after.height, after.format.name)
        # Less than half a level of 256 cannot be seen in a mix.
        if not same or not 1 / 512 < self.weight < 511 / 512:
            return after if self.weight > 0.5 else before
        mixed = tuple(
            cv2.addWeighted(np.ascontiguousarray(a), 1 - self.weight, np.ascontiguousarray(b), self.weight, 0)
            for a, b in zip(self.before.planes(), self.after.planes(), strict=True)
        )
        picture = picture_from(mixed, before.width, before.height, before.format.name)
        apply_tags(picture, self.before.color)
        return picture


@dataclass(slots=True)
class Seen:
    """What reading found out by the end: when the video ends on the source's timeline, in seconds."""

    end: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a source that is used, in seconds of it; without an end, to the source's."""

    start: Fraction
    end: Fraction | None


def picks(
    frames: Iterable[Frame],
    clock: Clock,
    rate: Fraction,
    seen: Seen,
    *,
    blend: bool,
    fade_s: float | None = None,
    part: Part | None = None,
) -> Iterator[Pick]:
    """What each output frame shows, in order and without holes, at `rate` frames a second; `seen` is kept up to date.

    Without `blend` a source frame is shown from the output frame nearest to its time on the clock, so a picture is never off by more
    than half an output frame. With `blend` each is shown alone at its time only, and fades into the next one; where the source holds a
    picture for longer than `fade_s` (an output frame's length unless given), it stays until that long before the next. The last output
    frame ends within half a frame of the source's end on the clock; there is always at least one. `part`: the first frame is shown
    from output frame 0 on, and the source ends where the part does.
    """
    before: Frame | None = None
    first = number = 0
    for frame in frames:
        if before is None:
            first = number = 0 if part is not None else _nearest(clock, frame.time, rate)
        else:
            stop = max(_reached(clock, frame.time, rate) if blend else _nearest(clock, frame.time, rate), number)
            fade = fade_s or float(1 / rate)
            yield from _faded(before, frame, range(number, stop), clock, rate, fade) if blend else _shown(before, range(number, stop))
            number = stop
        before = frame
        end = frame.time + (frame.duration * frame.time_base or 1 / rate)
        seen.end = end if part is None or part.end is None else min(end, part.end)
    if before is not None:
        # A point at the very end may freeze the last picture.
        stop = max(_number(float(clock.left(float(seen.end))), rate), first + 1)
        yield from _shown(before, range(number, stop))


def _shown(frame: Frame, numbers: range) -> Iterator[Pick]:
    for number in numbers:
        yield Pick(number=number, before=frame, after=frame, weight=0.0)


def _faded(before: Frame, after: Frame, numbers: range, clock: Clock, rate: Fraction, fade_s: float) -> Iterator[Pick]:
    if not numbers:
        return
    moments = clock.source(np.array([float(number / rate) for number in numbers]))
    fade = min(float(after.time - before.time), fade_s)
    weights = np.clip(1 - (float(after.time) - moments) / fade, 0, 1)
    for number, weight in zip(numbers, weights, strict=True):
        yield Pick(number=number, before=before, after=after, weight=float(weight))


def _reached(clock: Clock, time: Fraction, rate: Fraction) -> int:
    """Number of the first output frame at or after source time `time`; a hair before it counts as at it."""
    return math.ceil(_position(clock, time, rate) - _HAIR)


def _nearest(clock: Clock, time: Fraction, rate: Fraction) -> int:
    """Number of the output frame nearest to source time `time`, the later of two; not below 0."""
    return _number(float(clock.out(float(time))), rate)


def _number(out_s: float, rate: Fraction) -> int:
    return max(math.floor(out_s * float(rate) + 0.5 + _HAIR), 0)


def _position(clock: Clock, time: Fraction, rate: Fraction) -> float:
    return float(clock.out(float(time))) * float(rate)
