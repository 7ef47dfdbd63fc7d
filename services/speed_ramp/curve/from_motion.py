"""Speed curves: from motion, from a list of speeds, and what they come to per segment.

A curve is a list of points. Those made here are joined linearly, so there are no steps.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.speed_ramp.curve.clock import Clock, Floats, Point
from services.speed_ramp.params import MAX_POINTS, MAX_SPEED, MIN_SPEED, AnalyzeParams, CurvePoint
from shared.errors import Invalid

_CELLS = 8  # per segment: motion is smoothed on a grid that much finer than the curve
_FLOOR = 0.01  # diagonals a second: differences smaller than this are noise, not action
_CONTRAST = 0.25  # a spread of less than this part of the strongest motion does not use the whole range of speeds


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Motion over time, in seconds from the start of what was measured.

    `values[i]` (frame diagonals a second) was reached at `times[i]`; it stands for what lies between `ends[i - 1]`, or 0, and `ends[i]`.
    """

    times: Floats
    ends: Floats
    values: Floats
    duration_s: float


def from_motion(motion: Trace, params: AnalyzeParams) -> list[Point]:
    """The speed curve of a clip: one control point in the middle of each segment, held to both ends.

    The smoothed motion is scaled by its own 5th and 95th percentiles (no outlier decides) to 0..1, which picks the speed between
    `max_speed` and `min_speed` on a logarithmic scale: half-way between 0.5 and 2 is 1. The less the motion varies, the nearer the speeds
    are to 1 (clipped to the limits); a clip that moves evenly, or not at all, plays at that throughout. Follows the idea of the seed
    (motion per segment against its range over the clip), with its direction put right.
    """
    starts, ends = segments(motion.duration_s, params.segment_duration)
    grid, smooth = _smoothed(motion, params)
    low, high = np.percentile(smooth, [5, 95])
    # The integral of the smoothed motion gives each segment's mean, the shorter last one's too.
    edges = np.append(0.0, grid)
    integral = np.append(0.0, np.cumsum(smooth * np.diff(edges)))
    means = (np.interp(ends, edges, integral) - np.interp(starts, edges, integral)) / (ends - starts)

    action = np.clip((means - low) / max(high - low, 1e-12), 0, 1)
    if params.mode == "speed_action":
        action = 1 - action
    slow, fast = math.log(params.min_speed), math.log(params.max_speed)
    even = min(max(0.0, slow), fast)
    trust = min((high - low) / max(_CONTRAST * high, _FLOOR), 1.0)
    speeds = np.exp(even + trust * (fast + action * (slow - fast) - even))
    # Rounded so that even motion gives even speeds; not a hair outside the limits, whatever exp(log(x)) makes of x.
    speeds = np.clip(np.round(speeds, 9), params.min_speed, params.max_speed)
    middles = (starts + ends) / 2
    return held([Point(float(t), float(speed)) for t, speed in zip(middles, speeds, strict=True)], motion.duration_s)


def from_speeds(speeds: Sequence[float], *, segment_duration: float, smoothing: float, duration_s: float) -> list[Point]:
    """A continuous curve on which each segment takes as long as if it were played at its speed from end to end.

    `speeds`: one per `segment_duration` seconds; the last is held to the end, and those past the end are left out. Around each boundary
    the speed passes over from one to the other within `smoothing` seconds (half a segment at most), through their geometric mean; what a
    segment loses or gains in the passage, its own speed makes up for. Only a speed at the very limit (0.1, 16) next to
    another cannot, and then deviates.
    """
    starts, ends = segments(duration_s, segment_duration)
    wanted = np.array([speeds[min(i, len(speeds) - 1)] for i in range(len(starts))])
    bounds = np.sqrt(wanted[1:] * wanted[:-1])
    points: list[Point] = []
    for i, (start, end, speed) in enumerate(zip(starts, ends, wanted, strict=True)):
        reach = max(min(smoothing / 2, (end - start) / 4), (end - start) / 64)
        before = bounds[i - 1] if i else None
        after = bounds[i] if i < len(bounds) else None
        plateau = _plateau(speed, end - start, reach, [b for b in (before, after) if b is not None])
        if before is None:
            points.append(Point(float(start), plateau))
        else:
            points += [Point(float(start), float(before)), Point(float(start + reach), plateau)]
        points.append(Point(float(end if after is None else end - reach), plateau))
    return held(points, duration_s)


def from_points(points: Sequence[CurvePoint]) -> list[Point]:
    """A given curve."""
    return [Point(point.t, point.speed, point.easing, point.freeze) for point in points]


def to_points(points: Sequence[Point]) -> list[CurvePoint]:
    """A curve to answer with."""
    return [CurvePoint(t=point.t, speed=point.speed, easing=point.easing, freeze=point.freeze) for point in points]


def shifted(points: Sequence[Point], seconds: float) -> list[Point]:
    """The same curve `seconds` later."""
    return [point._replace(t=point.t + seconds) for point in points]


def held(points: Sequence[Point], end: float, *, start: float = 0.0) -> list[Point]:
    """The same curve with points exactly at `start` and `end` and none outside, points of no effect left out.

    Only where one of the two cuts an eased piece, which would bend it, the point beyond is kept instead.
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
    i = bisect_right(times, start) - 1
    if i < 0:
        return Point(start, points[0].speed)
    if times[i] == start or (points[i].easing == "smooth" and i + 1 < len(points)):
        return points[i]
    return Point(start, _limited(float(clock.speed(start))), points[i].easing)


def _last(points: Sequence[Point], times: list[float], clock: Clock, end: float) -> Point:
    i = bisect_left(times, end)
    if i == len(points):
        return Point(end, points[-1].speed)
    if times[i] == end or (i > 0 and points[i - 1].easing == "smooth"):
        return points[i]
    return Point(end, _limited(float(clock.speed(end))))


def _limited(speed: float) -> float:
    return min(max(speed, MIN_SPEED), MAX_SPEED)


def segment_speeds(points: Sequence[Point], segment_duration: float, duration_s: float, *, start: float = 0.0) -> list[float]:
    """Mean speed of each segment: its seconds divided by those it takes along the curve, so that the durations add up."""
    starts, ends = segments(duration_s, segment_duration)
    clock = Clock(points, start=start)
    return [float(speed) for speed in (ends - starts) / (clock.left(start + ends) - clock.left(start + starts))]


def segments(duration_s: float, segment_duration: float) -> tuple[Floats, Floats]:
    """Starts and ends, in seconds, of the segments of a clip; the last one may be shorter. Raises Invalid if they are too many."""
    # A rest of less than a thousandth of a segment is rounding of times, not a segment.
    count = max(math.ceil(duration_s / segment_duration - 1e-3), 1)
    if count > MAX_POINTS - 2:
        raise Invalid(
            f"{duration_s:.0f} s in segments of {segment_duration:g} s make {count} segments; {MAX_POINTS - 2} are the most. "
            "Choose a longer segment_duration."
        )
    starts = np.arange(count) * segment_duration
    return starts, np.append(starts[1:], duration_s)


def _smoothed(motion: Trace, params: AnalyzeParams) -> tuple[Floats, Floats]:
    """Mean motion in equal cells of time, averaged with a Gaussian whose full width at half maximum is `smoothing` seconds.

    Returns the cells' ends (seconds) and values. Frames are weighted by how long they last, so a varying frame rate does not matter.
    """
    if not len(motion.times):
        return np.array([motion.duration_s]), np.zeros(1)
    cell = params.segment_duration / _CELLS
    count = max(math.ceil(motion.duration_s / cell), 1)
    ends = np.linspace(0, motion.duration_s, count + 1)[1:]
    # The last value is held over the last frame, which nothing follows; the first over the time before the second frame.
    ends_of, values = np.append(motion.ends, max(motion.duration_s, motion.ends[-1] + 1e-9)), np.append(motion.values, motion.values[-1])
    edges = np.append(0.0, ends_of)
    integral = np.append(0.0, np.cumsum(values * np.diff(edges)))
    means = np.diff(np.interp(np.append(0.0, ends), edges, integral)) / (motion.duration_s / count)
    sigma = params.smoothing / 2.355 / (motion.duration_s / count)
    if sigma < 0.1:
        return ends, means
    reach = min(math.ceil(3 * sigma), 4 * count)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return ends, np.convolve(np.pad(means, reach, mode="edge"), kernel / kernel.sum(), mode="valid")


def _plateau(speed: float, length: float, reach: float, bounds: list[float]) -> float:
    """The speed between the passages at which a segment of `length` seconds takes `length / speed` in all; by bisection in its log."""
    if all(abs(bound / speed - 1) < 1e-12 for bound in bounds):
        return float(speed)
    low, high = math.log(MIN_SPEED), math.log(MAX_SPEED)
    for _ in range(60):
        middle = (low + high) / 2
        plateau = math.exp(middle)
        taken = (length - reach * len(bounds)) / plateau + sum(reach * _mean_inverse(bound, plateau) for bound in bounds)
        low, high = (middle, high) if taken > length / speed else (low, middle)
    return min(max(math.exp((low + high) / 2), MIN_SPEED), MAX_SPEED)


def _mean_inverse(a: float, b: float) -> float:
    """Mean of 1/s while s goes linearly from a to b."""
    return 1 / a if abs(b / a - 1) < 1e-9 else math.log(b / a) / (b - a)
