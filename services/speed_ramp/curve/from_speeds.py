"""Conversion of a list of speeds, one per segment, to a speed curve."""

import math
from collections.abc import Sequence

import numpy as np

from services.speed_ramp.curve.points import MAX_SPEED, MIN_SPEED, Point
from services.speed_ramp.curve.segments import segments
from services.speed_ramp.curve.trim import trimmed

_BISECTIONS = 60


def from_speeds(speeds: Sequence[float], *, segment_duration: float, smoothing: float, duration_s: float) -> list[Point]:
    """Create a continuous curve from one speed per segment.

    `speeds`: one per `segment_duration` seconds. The last speed is held to the end of the clip; speeds past the end are ignored. Around
    each boundary of two segments, the speed changes linearly within `smoothing` seconds (at most half a segment), passing through the
    geometric mean of both speeds. The speed in the middle of a segment is chosen so that the segment takes as long as if played at its own
    speed throughout. That is not possible for a segment at MIN_SPEED or MAX_SPEED next to another speed: it takes a little longer or
    shorter.
    """
    starts, ends = segments(duration_s, segment_duration)
    targets = np.array([speeds[min(i, len(speeds) - 1)] for i in range(len(starts))])
    boundary_speeds = np.sqrt(targets[1:] * targets[:-1])
    points: list[Point] = []
    for i, (start, end, speed) in enumerate(zip(starts, ends, targets, strict=True)):
        ramp_s = max(min(smoothing / 2, (end - start) / 4), (end - start) / 64)
        before = boundary_speeds[i - 1] if i else None
        after = boundary_speeds[i] if i < len(boundary_speeds) else None
        plateau = _plateau(speed, end - start, ramp_s, [bound for bound in (before, after) if bound is not None])
        if before is None:
            points.append(Point(float(start), plateau))
        else:
            points += [Point(float(start), float(before)), Point(float(start + ramp_s), plateau)]
        points.append(Point(float(end if after is None else end - ramp_s), plateau))
    return trimmed(points, duration_s)


def _plateau(speed: float, length: float, ramp_s: float, bounds: list[float]) -> float:
    """Find the constant speed between a segment's ramps.

    With it a segment of `length` seconds takes `length / speed` in total. `bounds`: speeds at the segment's ends that have a ramp of
    `ramp_s` seconds. Bisects the logarithm of the speed.
    """
    if all(abs(bound / speed - 1) < 1e-12 for bound in bounds):
        return float(speed)
    low, high = math.log(MIN_SPEED), math.log(MAX_SPEED)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        plateau = math.exp(middle)
        output_s = (length - ramp_s * len(bounds)) / plateau + sum(ramp_s * _mean_inverse(bound, plateau) for bound in bounds)
        low, high = (middle, high) if output_s > length / speed else (low, middle)
    return min(max(math.exp((low + high) / 2), MIN_SPEED), MAX_SPEED)


def _mean_inverse(a: float, b: float) -> float:
    """Return the mean of 1/speed over a linear ramp.

    The speed changes from `a` to `b`.
    """
    return 1 / a if abs(b / a - 1) < 1e-9 else math.log(b / a) / (b - a)
