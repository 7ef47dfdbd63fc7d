"""Speed curves: from motion, from a list of speeds, and what they come to per segment.

A curve is a list of (t, speed) points; between them speed changes linearly, so there are no steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.speed_ramp.clock import Clock, Floats
from services.speed_ramp.params import MAX_POINTS, MAX_SPEED, MIN_SPEED, AnalyzeParams, CurvePoint
from shared.errors import Invalid

Point = tuple[float, float]

_CELLS = 8  # per segment: motion is smoothed on a grid that much finer than the curve
_FLOOR = 0.01  # diagonals a second: differences smaller than this are noise, not action
_CONTRAST = 0.25  # a spread of less than this part of the strongest motion does not use the whole range of speeds


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Motion over time: `values[i]` (frame diagonals a second) held from `times[i - 1]`, or 0, to `times[i]` (seconds, rising)."""

    times: Floats
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
    return held(list(zip((starts + ends) / 2, speeds, strict=True)), motion.duration_s)


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
    points: list[Point] = [(0.0, 0.0)]
    for i, (start, end, speed) in enumerate(zip(starts, ends, wanted, strict=True)):
        reach = max(min(smoothing / 2, (end - start) / 4), (end - start) / 64)
        before = bounds[i - 1] if i else None
        after = bounds[i] if i < len(bounds) else None
        plateau = _plateau(speed, end - start, reach, [b for b in (before, after) if b is not None])
        if before is None:
            points[0] = (start, plateau)
        else:
            points += [(start, before), (start + reach, plateau)]
        points.append((end, plateau) if after is None else (end - reach, plateau))
    return held(points, duration_s)


def from_points(points: Sequence[CurvePoint], duration_s: float) -> list[Point]:
    """A given curve, cut or held to end exactly at `duration_s`."""
    return held([(point.t, point.speed) for point in points], duration_s)


def held(points: Sequence[Point], duration_s: float) -> list[Point]:
    """The same curve with points exactly at 0 and at `duration_s` and none outside, points of no effect left out."""
    t, s = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    inside = [(float(a), float(b)) for a, b in zip(t, s, strict=True) if 0 < a < duration_s]
    ends = np.interp([0.0, duration_s], t, s)
    whole = [(0.0, float(ends[0])), *inside, (duration_s, float(ends[1]))]
    kept = [point for i, point in enumerate(whole) if i in (0, len(whole) - 1) or not (whole[i - 1][1] == point[1] == whole[i + 1][1])]
    return kept


def segment_speeds(points: Sequence[Point], segment_duration: float, duration_s: float) -> list[float]:
    """Mean speed of each segment: its seconds divided by those it takes along the curve, so that the durations add up."""
    starts, ends = segments(duration_s, segment_duration)
    clock = Clock(points)
    return [float(speed) for speed in (ends - starts) / (clock.out(ends) - clock.out(starts))]


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
    times, values = np.append(motion.times, max(motion.duration_s, motion.times[-1] + 1e-9)), np.append(motion.values, motion.values[-1])
    edges = np.append(0.0, times)
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
