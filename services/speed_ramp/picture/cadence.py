"""Even timing of frames that a file repeats unevenly.

A film in a file of 30 frames per second shows four pictures for one frame each, and the fifth for two. If the repeats are left out, the
times of the pictures are still uneven, and so is the motion. The true moment of a picture lies somewhere in the time that the picture is
shown. So the moments are spread as evenly as possible, each within that time.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from services.speed_ramp.picture.repeats import HeldFrame
from shared.video import Frame

_AHEAD = 6  # pictures that are read ahead: more than one round of the usual patterns
_BASE = Fraction(1, 1_000_003)  # time base of retimed frames, in seconds; no file has it
_CLOSE = Fraction(1, 32)  # distance from a frame's own time, as a share of a frame interval, up to which a moment counts as that time
_INSIDE = Fraction(63, 64)  # latest moment of a picture, as a share of the time that it is shown


def evenly(held: Iterable[HeldFrame]) -> Iterator[Frame]:
    """Yield frames without repeats, retimed to an even pace.

    Frames without repeats around them keep their times, and are yielded unchanged. The first frame keeps its time, and the last one its
    end.
    """
    source, ahead = iter(held), deque[HeldFrame]()
    pace = moment = None
    while True:
        while len(ahead) <= _AHEAD and (following := next(source, None)) is not None:
            ahead.append(following)
        if not ahead:
            return
        current = ahead.popleft()
        moment = current.frame.time if moment is None else moment
        if not ahead:
            yield _at(current, moment, current.until)
            return
        after, pace = _next(current, moment, ahead, pace)
        yield _at(current, moment, after)
        moment = after


def is_retimed(frame: Frame) -> bool:
    """Return whether `evenly` retimed a frame.

    The motion from a retimed frame to the next is continuous, so it can fade into the next frame during all of its time.
    """
    return frame.time_base == _BASE


def _next(current: HeldFrame, moment: Fraction, ahead: deque[HeldFrame], pace: Fraction | None) -> tuple[Fraction, Fraction | None]:
    """Return the next picture's time and the seconds per picture.

    The next picture is the first in `ahead`. The pace is None where nothing repeats.
    """
    count, first, last = len(ahead), ahead[0].frame.time, ahead[-1].frame.time
    step = _shortest(current, ahead)
    # If no repeats follow, moments return to the frames' own times. Near the end of the clip that is unknown.
    returning = count >= _AHEAD and not current.repeats and not any(held.repeats for held in ahead)
    if returning and moment - current.frame.time <= _CLOSE * step:
        return first, None
    even_pace = (last - moment) / count if returning or pace is None else pace
    low, high = Fraction(0), Fraction(10**6)
    for number, held in enumerate(ahead, start=1):
        span = held.until - held.frame.time if held.repeats else min(held.until - held.frame.time, step)
        lowest, highest = (held.frame.time - moment) / number, (held.frame.time + _INSIDE * span - moment) / number
        if max(low, lowest) > min(high, highest):
            break
        low, high = max(low, lowest), min(high, highest)
    pace = min(max(even_pace, low), high)
    return moment + pace, pace


def _shortest(current: HeldFrame, ahead: deque[HeldFrame]) -> Fraction:
    """Return the file's frame interval: the shortest time that a frame lasts.

    Each repeat counts as a frame.
    """
    return min((held.until - held.frame.time) / (held.repeats + 1) for held in (current, *ahead))


def _at(held: HeldFrame, moment: Fraction, after: Fraction) -> Frame:
    """Return a frame retimed to last from `moment` to `after`.

    Returns the frame of `held` itself if its times do not change.
    """
    frame = held.frame
    if moment == frame.time and not held.repeats and after == held.until:
        return frame
    pts = round(moment / _BASE)
    return replace(frame, pts=pts, time_base=_BASE, duration=round(after / _BASE) - pts)
