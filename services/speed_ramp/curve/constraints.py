"""Curve constraints: snapping to given times, maximum acceleration, target duration."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point
from services.speed_ramp.curve.trim import trimmed
from shared.errors import Invalid

_SMOOTH_PIECES = 24  # number of straight lines that replace an eased piece before its slope is limited
_JUMP_S = 1e-6  # length of the steep line that replaces a jump of the speed, in seconds
_NEAR_S = 1e-9  # rounding error of times, in seconds
_BISECTIONS = 80  # maximum number of steps in the search for the factor that scales the speeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Constraints on a curve, each None if unset.

    `snap_times`: source seconds at which the curve's inner points must lie. `max_acceleration`: doublings or halvings of the speed per
    second of output. `target_duration`: output seconds.
    """

    snap_times: Sequence[float] | None = None
    max_acceleration: float | None = None
    target_duration: float | None = None

    def __bool__(self) -> bool:
        return self != Constraints()


def constrained(points: Sequence[Point], constraints: Constraints, *, start: float, end: float, limits: tuple[float, float]) -> list[Point]:
    """Return a curve changed to meet `constraints`.

    `start`, `end`: part of the source, in seconds. The result covers only this part. `limits`: slowest and fastest speed allowed. Raises
    Invalid if no snap time lies in the part, or if no speeds within the limits reach the target duration.
    """
    if not constraints:
        return list(points)
    points = trimmed(points, end, start=start)
    if constraints.snap_times is not None:
        points = snapped(points, constraints.snap_times, start=start, end=end)

    def limit(curve: list[Point]) -> list[Point]:
        return curve if constraints.max_acceleration is None else limit_acceleration(curve, constraints.max_acceleration)

    if constraints.target_duration is None:
        return limit(points)
    return _scaled_to(constraints.target_duration, points, limit, start=start, end=end, limits=limits)


def snapped(points: Sequence[Point], times: Iterable[float], *, start: float, end: float) -> list[Point]:
    """Move each inner control point to the nearest of `times`.

    `times`: source seconds. Points that move to the same time become one point, with the geometric mean of their speeds, the sum of their
    freezes and the easing of the last of them. Raises Invalid if none of `times` lies between `start` and `end`.
    """
    within = np.unique([time for time in times if start < time < end])
    if not len(within):
        raise Invalid(
            f"snap_to: none of the times lies between {start:g} and {end:.2f} s. Give times within that range, or leave snap_to empty."
        )
    middles = (within[1:] + within[:-1]) / 2
    inner = [point for point in points if start < point.t < end]
    merged: list[Point] = []
    for i, group in groupby(inner, key=lambda point: int(np.searchsorted(middles, point.t))):
        together = list(group)
        speed = math.exp(math.fsum(math.log(point.speed) for point in together) / len(together))
        merged.append(Point(float(within[i]), speed, together[-1].easing, math.fsum(point.freeze for point in together)))
    return [*(point for point in points if point.t <= start), *merged, *(point for point in points if point.t >= end)]


def limit_acceleration(points: Sequence[Point], octaves: float) -> list[Point]:
    """Return the fastest curve of limited acceleration that lies below `points`.

    The speed changes by at most `octaves` (doublings or halvings) per output second. The change of log speed per output second equals the
    change of speed per source second: d(ln s)/dT = s d(ln s)/dt = ds/dt. The result is therefore the lower envelope of lines of that slope.
    Slow parts keep their speed; the curve around them changes more gently. Freezes stay.
    """
    slope = octaves * math.log(2)
    if all(_steepest(a, b) <= slope * (1 + 1e-9) for a, b in pairwise(points)):
        return list(points)
    corners = _limit_rise(_corners(points), slope)
    mirrored = _limit_rise([(-t, speed) for t, speed in reversed(corners)], slope)
    freezes = {point.t: point.freeze for point in points if point.freeze}
    return [Point(-t, speed, "linear", freezes.get(-t, 0.0)) for t, speed in reversed(mirrored)]


def _scaled_to(
    target_s: float,
    points: list[Point],
    limit: Callable[[list[Point]], list[Point]],
    *,
    start: float,
    end: float,
    limits: tuple[float, float],
) -> list[Point]:
    """Scale all speeds so that the output lasts `target_s` seconds.

    The scaled speeds are clipped to the limits, then `limit` is applied.
    """
    low, high = limits

    def scaled(factor: float) -> list[Point]:
        return limit([point._replace(speed=min(max(point.speed * factor, low), high)) for point in points])

    def duration(curve: list[Point]) -> float:
        return float(Clock(curve, start=start).left(end))

    speeds = [point.speed for point in points]
    smallest, largest = math.log(low / max(speeds)), math.log(high / min(speeds))
    longest, shortest = duration(scaled(math.exp(smallest))), duration(scaled(math.exp(largest)))
    if not shortest - _NEAR_S <= target_s <= longest + _NEAR_S:
        raise Invalid(
            f"target_duration: {target_s:g} s cannot be reached with speeds from {low:g} to {high:g}; "
            f"they allow {shortest:.2f} to {longest:.2f} s. Choose a duration in that range, or other speeds."
        )
    for _ in range(_BISECTIONS):
        middle = (smallest + largest) / 2
        smallest, largest = (middle, largest) if duration(scaled(math.exp(middle))) > target_s else (smallest, middle)
        if largest - smallest < 1e-10:
            break
    return scaled(math.exp((smallest + largest) / 2))


def _steepest(a: Point, b: Point) -> float:
    """Return the steepest slope between two points, in speed per second."""
    change = abs(b.speed - a.speed) / (b.t - a.t)
    return {"linear": change, "smooth": 1.5 * change, "hold": math.inf if change else 0.0}[a.easing]


def _corners(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Return the (t, speed) corners of a polyline along the curve.

    Jumps become very steep lines.
    """
    corners: list[tuple[float, float]] = []
    for a, b in pairwise(points):
        corners.append((a.t, a.speed))
        if a.easing == "smooth":
            corners.extend(
                (a.t + (b.t - a.t) * float(u), a.speed + (b.speed - a.speed) * float(u * u * (3 - 2 * u)))
                for u in np.arange(1, _SMOOTH_PIECES) / _SMOOTH_PIECES
            )
        elif a.easing == "hold":
            corners.append((b.t - min(_JUMP_S, (b.t - a.t) / 2), a.speed))
    return [*corners, (points[-1].t, points[-1].speed)]


def _limit_rise(corners: list[tuple[float, float]], slope: float) -> list[tuple[float, float]]:
    """Return the highest curve of limited slope that lies below `corners`.

    The curve rises by at most `slope` per second.
    """
    limited = [corners[0]]
    for (t0, speed0), (t1, speed1) in pairwise(corners):
        level = limited[-1][1]
        reach = level + slope * (t1 - t0)
        if reach > speed1 and level < speed0:
            # The rising line meets the curve within this piece.
            meeting = (speed0 - level) / (slope - (speed1 - speed0) / (t1 - t0))
            if _NEAR_S < meeting < t1 - t0 - _NEAR_S:
                limited.append((t0 + meeting, level + slope * meeting))
        limited.append((t1, min(reach, speed1)))
    return limited
