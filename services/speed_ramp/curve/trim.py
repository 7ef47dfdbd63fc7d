"""Trimming of a curve to a part of the source."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import MAX_SPEED, MIN_SPEED, Point


def trimmed(points: Sequence[Point], end: float, *, start: float = 0.0) -> list[Point]:
    """Trim the curve to source seconds `start` to `end`.

    The trimmed curve has a point at both ends, and redundant points are removed. An eased piece cut in two would change its shape. Where
    `start` or `end` cuts such a piece, the point beyond the cut is kept instead.
    """
    clock, times = Clock(points), [point.t for point in points]
    inside = [point for point in points if start < point.t < end]
    whole = [_first(points, times, clock, start), *inside, _last(points, times, clock, end)]
    return [
        point
        for i, point in enumerate(whole)
        if i in (0, len(whole) - 1) or point.freeze or not whole[i - 1].speed == point.speed == whole[i + 1].speed
    ]


def _first(points: Sequence[Point], times: list[float], clock: Clock, start: float) -> Point:
    """Return the first point of the curve trimmed to `start`."""
    i = bisect_right(times, start) - 1
    if i < 0:
        return Point(start, points[0].speed)
    if times[i] == start or (points[i].easing == "smooth" and i + 1 < len(points)):
        return points[i]
    return Point(start, _within_limits(float(clock.speed(start))), points[i].easing)


def _last(points: Sequence[Point], times: list[float], clock: Clock, end: float) -> Point:
    """Return the last point of the curve trimmed to `end`."""
    i = bisect_left(times, end)
    if i == len(points):
        return Point(end, points[-1].speed)
    if times[i] == end or (i > 0 and points[i - 1].easing == "smooth"):
        return points[i]
    return Point(end, _within_limits(float(clock.speed(end))))


def _within_limits(speed: float) -> float:
    return min(max(speed, MIN_SPEED), MAX_SPEED)
