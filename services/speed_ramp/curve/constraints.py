"""What may be asked of a curve besides its points: changes at given times only, no hard acceleration, a duration to hit."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from typing import Protocol

import numpy as np

from services.speed_ramp.curve.clock import Clock, Point
from services.speed_ramp.curve.from_motion import held
from shared.errors import Invalid

_SMOOTH_STEPS = 24  # straight pieces that an eased one is made of where it has to be bent
_JUMP_S = 1e-6
_NEAR_S = 1e-9
_HALVINGS = 80


class Wishes(Protocol):
    """The parameters that are read here."""

    @property
    def snap_to(self) -> Sequence[float] | str | None: ...
    @property
    def max_acceleration(self) -> float | None: ...
    @property
    def target_duration(self) -> float | None: ...


def asks(wishes: Wishes) -> bool:
    """Whether there is anything to do."""
    return wishes.snap_to is not None or wishes.max_acceleration is not None or wishes.target_duration is not None


def shaped(points: Sequence[Point], wishes: Wishes, *, start: float, end: float, limits: tuple[float, float]) -> list[Point]:
    """The curve between source seconds `start` and `end` as `wishes` want it, its speeds within `limits`.

    Raises Invalid if none of the times to snap to lies within, or no speeds within the limits hit the duration.
    """
    points = held(points, end, start=start)
    if wishes.snap_to is not None:
        if isinstance(wishes.snap_to, str):
            raise ValueError(f"{wishes.snap_to = } must be turned into times first")
        points = snapped(points, wishes.snap_to, start=start, end=end)

    def gentle(curve: list[Point]) -> list[Point]:
        return curve if wishes.max_acceleration is None else eased_off(curve, wishes.max_acceleration)

    if wishes.target_duration is None:
        return gentle(points)
    return _hitting(points, gentle, wishes.target_duration, start, end, limits)


def snapped(points: Sequence[Point], times: Iterable[float], *, start: float, end: float) -> list[Point]:
    """The curve with each of its inner points at the nearest of `times` (source seconds); points that meet become one.

    The one has their geometric mean speed, the sum of their freezes, and the easing of the last.
    """
    within = np.unique([time for time in times if start < time < end])
    if not len(within):
        raise Invalid(f"snap_to: none of the times lies between {start:g} and {end:.2f} s. Give some that do, or leave it empty.")
    middles = (within[1:] + within[:-1]) / 2
    inner = [point for point in points if start < point.t < end]
    made: list[Point] = []
    for place, group in groupby(inner, key=lambda point: int(np.searchsorted(middles, point.t))):
        together = list(group)
        speed = math.exp(math.fsum(math.log(point.speed) for point in together) / len(together))
        made.append(Point(float(within[place]), speed, together[-1].easing, math.fsum(point.freeze for point in together)))
    return [*(point for point in points if point.t <= start), *made, *(point for point in points if point.t >= end)]


def eased_off(points: Sequence[Point], octaves: float) -> list[Point]:
    """The fastest curve below `points` whose speed changes by at most `octaves` (doublings or halvings) a second of output.

    A change of log speed by a second of output is the change of speed by a second of source: d(ln s)/dT = s d(ln s)/dt = ds/dt. So this
    is the lower envelope of lines of that slope. Slow parts stay as they are, and are entered and left gently. Freezes stay.
    """
    slope = octaves * math.log(2)
    if all(_steepest(a, b) <= slope * (1 + 1e-9) for a, b in pairwise(points)):
        return list(points)
    corners = _rising(_straight(points), slope)
    mirrored = _rising([(-t, speed) for t, speed in reversed(corners)], slope)
    freezes = {point.t: point.freeze for point in points if point.freeze}
    return [Point(-t, speed, "linear", freezes.get(-t, 0.0)) for t, speed in reversed(mirrored)]


def _hitting(
    points: list[Point],
    gentle: Callable[[list[Point]], list[Point]],
    target_s: float,
    start: float,
    end: float,
    limits: tuple[float, float],
) -> list[Point]:
    """All speeds times one factor, cut to the limits: the factor at which the clip takes `target_s`."""
    low, high = limits

    def times(factor: float) -> list[Point]:
        return gentle([point._replace(speed=min(max(point.speed * factor, low), high)) for point in points])

    def taken(curve: list[Point]) -> float:
        return float(Clock(curve, start=start).left(end))

    speeds = [point.speed for point in points]
    smallest, largest = math.log(low / max(speeds)), math.log(high / min(speeds))
    longest, shortest = taken(times(math.exp(smallest))), taken(times(math.exp(largest)))
    if not shortest - _NEAR_S <= target_s <= longest + _NEAR_S:
        raise Invalid(
            f"target_duration: {target_s:g} s cannot be reached with speeds from {low:g} to {high:g}; "
            f"{shortest:.2f} to {longest:.2f} s can. Choose one between, or other speeds."
        )
    for _ in range(_HALVINGS):
        middle = (smallest + largest) / 2
        smallest, largest = (middle, largest) if taken(times(math.exp(middle))) > target_s else (smallest, middle)
        if largest - smallest < 1e-10:
            break
    return times(math.exp((smallest + largest) / 2))


def _steepest(a: Point, b: Point) -> float:
    """The greatest change of speed by a second of source between two points."""
    change = abs(b.speed - a.speed) / (b.t - a.t)
    return {"linear": change, "smooth": 1.5 * change, "hold": math.inf if change else 0.0}[a.easing]


def _straight(points: Sequence[Point]) -> list[tuple[float, float]]:
    """The curve as corners of straight lines: eased pieces in short ones, jumps all but upright."""
    corners: list[tuple[float, float]] = []
    for a, b in pairwise(points):
        corners.append((a.t, a.speed))
        if a.easing == "smooth":
            corners.extend(
                (a.t + (b.t - a.t) * float(u), a.speed + (b.speed - a.speed) * float(u * u * (3 - 2 * u)))
                for u in np.arange(1, _SMOOTH_STEPS) / _SMOOTH_STEPS
            )
        elif a.easing == "hold":
            corners.append((b.t - min(_JUMP_S, (b.t - a.t) / 2), a.speed))
    return [*corners, (points[-1].t, points[-1].speed)]


def _rising(corners: list[tuple[float, float]], slope: float) -> list[tuple[float, float]]:
    """The greatest curve below `corners` that nowhere rises faster than `slope`."""
    made = [corners[0]]
    for (t0, speed0), (t1, speed1) in pairwise(corners):
        level = made[-1][1]
        reach = level + slope * (t1 - t0)
        if reach > speed1 and level < speed0:
            # The line meets the curve within the piece.
            meeting = (speed0 - level) / (slope - (speed1 - speed0) / (t1 - t0))
            if _NEAR_S < meeting < t1 - t0 - _NEAR_S:
                made.append((t0 + meeting, level + slope * meeting))
        made.append((t1, min(reach, speed1)))
    return made
