"""The chapters of a rendered clip: its slow parts, and what lies between them."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from services.speed_ramp.curve.clock import Clock, Point
from services.speed_ramp.curve.straight_pieces import slow_name
from services.speed_ramp.params import SlowPart
from shared.video import to_fraction

MOST_SLOW = 100
"""A file has chapters for at most so many slow parts: the longest."""

_SHORTEST_S = Fraction(1, 20)  # nobody jumps to less


def longest(slow: list[SlowPart]) -> list[SlowPart]:
    """The slow parts that get chapters, in order."""
    kept = sorted(slow, key=lambda part: part.start_s - part.end_s)[:MOST_SLOW]
    return sorted(kept, key=lambda part: part.start_s)


def chapters(points: list[Point], slow: list[SlowPart], *, start: float, length: Fraction) -> Iterator[tuple[str, Fraction, Fraction]]:
    """(title, first second, last second) of output, without holes up to `length`; none where nothing is slow.

    Slow parts are named as in timelines ("Slow, 0.25x"), what lies between by its highest speed ("2x"). `start`: source second at which the
    output begins. What is shorter than 0.05 s belongs to what comes before it.
    """
    if not slow:
        return
    names: dict[Fraction, str] = {}
    for part in slow:
        names[_near(part.start_s)] = slow_name(part)
        names.setdefault(_near(part.end_s), "")
    begun = [(Fraction(0), "")]
    for second, name in sorted(names.items()):
        if second - begun[-1][0] < _SHORTEST_S:
            begun[-1] = (begun[-1][0], begun[-1][1] or name)
        elif second <= length - _SHORTEST_S:
            begun.append((second, name))
    clock = Clock(points, start=start)
    for (a, name), (b, _) in pairwise([*begun, (length, "")]):
        yield name or f"{_highest(clock, points, float(a), float(b)):.3g}x", a, b


def _highest(clock: Clock, points: list[Point], first: float, last: float) -> float:
    """The highest speed between two output seconds: it stands at a point or at an end."""
    a, b = (float(second) for second in clock.source([first, last]))
    inside = [point.speed for point in points if a < point.t < b]
    return max([float(clock.speed(a)), float(clock.speed(b)), *inside])


def _near(second: float) -> Fraction:
    return to_fraction(second)
