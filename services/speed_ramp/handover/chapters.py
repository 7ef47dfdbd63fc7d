"""Chapters of a rendered clip, split at slow parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point
from services.speed_ramp.curve.slow_parts import SlowPart, slow_name
from shared.video import to_fraction

MAX_SLOW_PARTS = 100
"""Maximum number of slow parts with a chapter."""

_SHORTEST_S = Fraction(1, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter of the rendered clip, in output seconds."""

    title: str
    start: Fraction
    end: Fraction


def longest(slow: list[SlowPart]) -> list[SlowPart]:
    """Return the MAX_SLOW_PARTS longest slow parts, in order of time."""
    parts = sorted(slow, key=lambda part: part.start_s - part.end_s)[:MAX_SLOW_PARTS]
    return sorted(parts, key=lambda part: part.start_s)


def chapters(points: list[Point], slow: list[SlowPart], *, start: float, length: Fraction) -> Iterator[Chapter]:
    """Yield chapters that cover the whole output.

    There are no chapters if no part is slow. Slow parts are named as in timelines ("Slow, 0.25x"), the parts between them by their highest
    speed ("2x"). A part shorter than 0.05 s is merged into the part before it. `start`: source second at which the output begins; `length`:
    output seconds.
    """
    if not slow:
        return
    names: dict[Fraction, str] = {}
    for part in slow:
        names[to_fraction(part.start_s)] = slow_name(part)
        names.setdefault(to_fraction(part.end_s), "")
    starts = [(Fraction(0), "")]
    for second, name in sorted(names.items()):
        if second - starts[-1][0] < _SHORTEST_S:
            starts[-1] = (starts[-1][0], starts[-1][1] or name)
        elif second <= length - _SHORTEST_S:
            starts.append((second, name))
    clock = Clock(points, start=start)
    for (a, name), (b, _) in pairwise([*starts, (length, "")]):
        yield Chapter(title=name or f"{_highest_speed(clock, points, float(a), float(b)):.3g}x", start=a, end=b)


def _highest_speed(clock: Clock, points: list[Point], first: float, last: float) -> float:
    """Return the highest speed between two output times.

    The highest speed lies at a point or at an end.
    """
    a, b = (float(second) for second in clock.source([first, last]))
    inside = [point.speed for point in points if a < point.t < b]
    return max([float(clock.speed(a)), float(clock.speed(b)), *inside])
