"""Conversion of a clip's motion to a speed curve."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from services.speed_ramp.curve.clock import Floats
from services.speed_ramp.curve.points import Point
from services.speed_ramp.curve.segments import segments
from services.speed_ramp.curve.trim import trimmed
from services.speed_ramp.motion.trace import Trace

_CELLS = 8  # grid cells per segment: motion is smoothed on a grid finer than the curve
_NOISE = 0.01  # motion, in diagonals per second, below which differences are noise
_CONSTANT, _FULL = 0.1, 1.0  # range of motion in octaves: up to the first, motion is constant; from the second on, all speeds are used
_FWHM = 2.355  # full width at half maximum of a Gaussian, in standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A rule that decides which motion plays slowly, as a row of MODES.

    `slowness` maps action (0 to 1) to 0 (`max_speed`) to 1 (`min_speed`).
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    slowness: Callable[[Floats], Floats]


MODES = {
    mode.name: mode
    for mode in (
        Mode(
            name="slow_action",
            label="The action",
            description="slows action down and speeds still parts up",
            slowness=lambda action: action,
        ),
        Mode(
            name="speed_action",
            label="The still parts",
            description="speeds action up and slows still parts down",
            slowness=lambda action: 1 - action,
        ),
    )
}


class MotionToSpeed(Protocol):
    """Params of `from_motion`. Durations are in seconds."""

    @property
    def segment_duration(self) -> float: ...
    @property
    def smoothing(self) -> float: ...
    @property
    def min_speed(self) -> float: ...
    @property
    def max_speed(self) -> float: ...
    @property
    def mode(self) -> str: ...


def from_motion(motion: Trace, params: MotionToSpeed) -> list[Point]:
    """Convert a clip's motion to a speed curve.

    The curve has one control point in the middle of each segment, and is linear between them.

    The smoothed motion is scaled to 0..1 by its 5th and 95th percentiles, so outliers do not matter. The scaled motion picks a speed
    between `max_speed` and `min_speed` on a logarithmic scale: half-way between 0.5 and 2 is 1. If motion changes by an octave or more, the
    curve uses the whole range of speeds. Smaller changes use proportionally less of it, around speed 1 (clipped to the limits). If motion
    changes by less than a tenth of an octave, it counts as even, and the whole clip plays at this middle speed. Follows AI-Speed-Ramping
    (motion per segment relative to its range over the clip), but slows action down by default instead of speeding it up.
    """
    starts, ends = segments(motion.duration_s, params.segment_duration)
    grid, smooth = _smoothed(motion, segment_duration=params.segment_duration, smoothing=params.smoothing)
    low, high = np.percentile(smooth, [5, 95])
    # Differences of the integral give the mean of each segment, including the shorter last one.
    edges = np.append(0.0, grid)
    integral = np.append(0.0, np.cumsum(smooth * np.diff(edges)))
    means = (np.interp(ends, edges, integral) - np.interp(starts, edges, integral)) / (ends - starts)

    action = np.clip((means - low) / max(high - low, 1e-12), 0, 1)
    slowness = MODES[params.mode].slowness(action)
    slow, fast = math.log(params.min_speed), math.log(params.max_speed)
    even = min(max(0.0, slow), fast)
    octaves = math.log2((high + _NOISE) / (low + _NOISE))
    strength = min(max(octaves - _CONSTANT, 0.0) / (_FULL - _CONSTANT), 1.0)
    speeds = np.exp(even + strength * (fast + slowness * (slow - fast) - even))
    # Rounded so that constant motion gives equal speeds. Clipped because exp(log(x)) may be slightly outside the limits.
    speeds = np.clip(np.round(speeds, 9), params.min_speed, params.max_speed)
    middles = (starts + ends) / 2
    return trimmed([Point(float(t), float(speed)) for t, speed in zip(middles, speeds, strict=True)], motion.duration_s)


def _smoothed(motion: Trace, *, segment_duration: float, smoothing: float) -> tuple[Floats, Floats]:
    """Resample motion evenly and smooth it with a Gaussian.

    The Gaussian's full width at half maximum is `smoothing` seconds. Returns the ends of the cells (seconds) and their values. Each frame
    counts by its duration, so varying frame rates do not matter.
    """
    if not len(motion.times):
        return np.array([motion.duration_s]), np.zeros(1)
    cell = segment_duration / _CELLS
    count = max(math.ceil(motion.duration_s / cell), 1)
    ends = np.linspace(0, motion.duration_s, count + 1)[1:]
    # The last value also holds for the last frame, which has no successor; the first value for the time before the second frame.
    value_ends = np.append(motion.ends, max(motion.duration_s, motion.ends[-1] + 1e-9))
    values = np.append(motion.values, motion.values[-1])
    edges = np.append(0.0, value_ends)
    integral = np.append(0.0, np.cumsum(values * np.diff(edges)))
    means: Floats = np.diff(np.interp(np.append(0.0, ends), edges, integral)) / (motion.duration_s / count)
    sigma = smoothing / _FWHM / (motion.duration_s / count)
    if sigma < 0.1:
        return ends, means
    reach = min(math.ceil(3 * sigma), 4 * count)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return ends, np.convolve(np.pad(means, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
