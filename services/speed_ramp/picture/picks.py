"""Selection of the source frames for each output frame.

Output frame k is shown at k / rate seconds; the clock maps that to a moment of the source.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np

from services.speed_ramp.curve.clock import Clock
from shared.video import Frame
from shared.video.frames.color import apply_tags
from shared.video.frames.planes import picture_from

_DENSE = 1e-3  # tolerance, as a share of a source frame, in testing whether the source has at least as many frames as the output
_ROUNDING = 1e-6  # tolerance, in output frames, above rounding errors and below a tick of any time base
_TICK_S = 0.002  # duration of the last frame, in seconds, up to which the stated duration is not the real one


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An output frame that shows one source frame, or a cross-fade.

    It shows `before` with `weight` (0 to 1) of `after` mixed in.
    """

    number: int
    before: Frame
    after: Frame
    weight: float

    @property
    def mixed(self) -> bool:
        """Whether both frames are visible.

        A weight that changes the picture by less than half a level of 256 is invisible.
        """
        return 1 / 512 < self.weight < 511 / 512

    def picture(self) -> av.VideoFrame:
        """Return the picture to write.

        The picture has the source's format (8 or more bits per sample) and tags.
        """
        before, after = self.before.picture, self.after.picture
        same_format = (before.width, before.height, before.format.name) == (after.width, after.height, after.format.name)
        if not same_format or not self.mixed:
            return after if self.weight > 0.5 else before
        mixed = tuple(
            cv2.addWeighted(np.ascontiguousarray(a), 1 - self.weight, np.ascontiguousarray(b), self.weight, 0)
            for a, b in zip(self.before.planes(), self.after.planes(), strict=True)
        )
        picture = picture_from(mixed, before.width, before.height, before.format.name)
        apply_tags(picture, self.before.color)
        return picture


@dataclass(slots=True)
class SourceEnd:
    """End time of the last source frame read, in seconds."""

    end: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Part:
    """Start and end of the used part of a source, in seconds.

    None as `end` means the source's end.
    """

    start: Fraction
    end: Fraction | None


def picks(
    frames: Iterable[Frame],
    clock: Clock,
    rate: Fraction,
    source_end: SourceEnd,
    *,
    blend: bool,
    fade_s: float | None = None,
    part: Part | None = None,
    full_fade: Callable[[Frame], bool] = lambda _frame: False,
    real_first: bool = False,
) -> Iterator[Pick]:
    """Yield a pick of source frames for each output frame, without gaps.

    `rate`: output frames per second. `source_end`: updated with every frame. Without `blend`, a source frame is shown from the output frame
    nearest to its time on the clock, so the error is at most half an output frame. With `blend`, each source frame fades into the next one
    and is shown alone only at its own time. `fade_s`: longest fade in seconds, by default one output frame. A source frame that lasts
    longer is shown alone until `fade_s` seconds before the next. `full_fade`: whether a frame fades into the next one during all of its
    time. `real_first`: whether to show the nearest source frame where the source has at least as many frames as the output, so that only
    slower parts are cross-faded. `part`: used part of the source. Its first frame is shown from output frame 0 on, and its end is the
    source's end. The last output frame ends within half a frame of the source's end on the clock. There is at least one output frame.
    """
    before: Frame | None = None
    first = number = 0
    for frame in frames:
        if before is None:
            # The first picture is shown from the first instant on.
            first = number = 0
        else:
            stop = max(_reached(clock, frame.time, rate) if blend else _nearest(clock, frame.time, rate), number)
            fade = float(frame.time - before.time) if full_fade(before) else fade_s or float(1 / rate)
            yield from (
                _faded(before, frame, range(number, stop), clock, rate, fade, real_first=real_first)
                if blend
                else _shown(before, range(number, stop))
            )
            number = stop
        before = frame
        end = frame.time + (frame.duration * frame.time_base or 1 / rate)
        source_end.end = end if part is None or part.end is None else min(end, part.end)
    if before is not None:
        # Recorders state a tick for the last picture, whose length they do not know: it is shown all the same.
        ticked = not blend and before.duration * before.time_base <= _TICK_S
        # A point at the end may freeze the last picture.
        stop = max(_number(float(clock.left(float(source_end.end))), rate), (number if ticked else first) + 1)
        yield from _shown(before, range(number, stop))


def _shown(frame: Frame, numbers: range) -> Iterator[Pick]:
    """Yield picks of one source frame for output frames `numbers`."""
    for number in numbers:
        yield Pick(number=number, before=frame, after=frame, weight=0.0)


def _faded(before: Frame, after: Frame, numbers: range, clock: Clock, rate: Fraction, fade_s: float, *, real_first: bool) -> Iterator[Pick]:
    """Yield picks of `before`, then of a cross-fade to `after`."""
    if not numbers:
        return
    moments = clock.source(np.array([float(number / rate) for number in numbers]))
    fade = min(float(after.time - before.time), fade_s)
    weights = np.clip(1 - (float(after.time) - moments) / fade, 0, 1)
    if real_first:
        half = float(0.5 / rate)
        steps = np.diff(clock.source(np.array([[float(number / rate) - half, float(number / rate) + half] for number in numbers])))[:, 0]
        weights = np.where(steps >= float(after.time - before.time) * (1 - _DENSE), np.rint(weights), weights)
    for number, weight in zip(numbers, weights, strict=True):
        yield Pick(number=number, before=before, after=after, weight=float(weight))


def _reached(clock: Clock, time: Fraction, rate: Fraction) -> int:
    """Return the number of the first output frame at or after source time `time`.

    A frame that is earlier only by a rounding error counts.
    """
    return math.ceil(_position(clock, time, rate) - _ROUNDING)


def _nearest(clock: Clock, time: Fraction, rate: Fraction) -> int:
    """Return the number of the output frame closest to source time `time`.

    The number is at least 0. Of two equally close frames, the later is returned.
    """
    return _number(float(clock.out(float(time))), rate)


def _number(out_s: float, rate: Fraction) -> int:
    """Return the number of the output frame closest to output second `out_s`.

    The number is at least 0.
    """
    return max(math.floor(out_s * float(rate) + 0.5 + _ROUNDING), 0)


def _position(clock: Clock, time: Fraction, rate: Fraction) -> float:
    """Convert a source time to a fractional output frame number."""
    return float(clock.out(float(time))) * float(rate)
