"""A curve's time map in straight pieces, for programs that know no other, and its slow parts."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np

from services.speed_ramp.curve.clock import Clock, Floats, Point
from services.speed_ramp.params import SlowPart

_SLOW = 0.9  # below this a part is slow
_MOST_PIECES = 4096
_HAIR = 1e-6  # of a frame: more than rounding
_STILL_S = 1e-7  # of source: more than rounding, less than any movement


def time_map(points: list[Point], *, start: float, end: float, tolerance_s: float) -> list[tuple[float, float]]:
    """(output second, source second) pairs from the start to the end of a part; straight lines between are off by `tolerance_s` at most.

    Freezes are level pieces; where the speed jumps there is a corner.
    """
    clock = Clock(points, start=start)
    inside = [point.t for point in points if start < point.t < end]
    # Rounded, so that a point without a freeze is one corner, not two.
    corners = np.unique(np.round([*clock.out([start, *inside, end]), *clock.left([start, *inside, end])], 9)) + 0.0
    made = [(float(corners[0]), start)]
    for a, b in pairwise(corners.tolist()):
        count = 1
        while count < _MOST_PIECES and _bend(clock, np.linspace(a, b, count + 1)) > tolerance_s:
            count *= 2
        out = np.linspace(a, b, count + 1)[1:]
        made += zip(out.tolist(), np.clip(clock.source(out), start, end).tolist(), strict=True)
    return [*made[:-1], (made[-1][0], end)]


def frame_pieces(points: list[Point], *, start: float, end: float, rate: Fraction) -> list[tuple[int, int, float, float]]:
    """The time map in pieces of whole output frames: (first frame, frames, source second at the first, speed).

    Together they are as many frames as the curve's integral says; what each shows is within half a source frame of the curve,
    also around jumps and freezes, which begin with the first frame whose moment lies in them.
    """
    clock = Clock(points, start=start)
    total = max(round(float(clock.left(end)) * rate), 1)
    corners = [out for out, _ in time_map(points, start=start, end=end, tolerance_s=float(1 / rate) / 2)]
    # A frame belongs to the piece that its moment lies in.
    numbers = sorted({0, total} | {number for out in corners if 0 < (number := math.ceil(out * rate - _HAIR)) < total})
    # From its first frame to its last: what follows the last may lie beyond a jump, and would bend the whole piece.
    lasts = [max(b - 1, a + 1) for a, b in pairwise(numbers)]
    firsts, ends = (np.clip(clock.source([float(number / rate) for number in some]), start, end) for some in (numbers[:-1], lasts))
    return [
        (a, b - a, float(at), float((to - at) / (last - a) * rate))
        for (a, b), last, at, to in zip(pairwise(numbers), lasts, firsts, ends, strict=True)
    ]


def slow_parts(points: list[Point], *, start: float, end: float) -> list[SlowPart]:
    """Where the clip plays at less than 0.9 times its speed, each freeze on its own."""
    made: list[SlowPart] = []
    for (a, from_s), (b, to_s) in pairwise(time_map(points, start=start, end=end, tolerance_s=0.002)):
        speed = (to_s - from_s) / (b - a)
        if speed >= _SLOW:
            continue
        speed = 0.0 if to_s - from_s < _STILL_S else speed
        if made and abs(made[-1].end_s - a) < 1e-9 and (made[-1].speed > 0) == (speed > 0):
            made[-1] = SlowPart(start_s=made[-1].start_s, end_s=b, speed=round(min(made[-1].speed, speed), 3))
        else:
            made.append(SlowPart(start_s=a, end_s=b, speed=round(speed, 3)))
    return made


def slow_name(part: SlowPart) -> str:
    """What a marker says."""
    return "Freeze" if part.speed < 1e-3 else f"Slow, {part.speed:g}x"


def _bend(clock: Clock, out: Floats) -> float:
    """How far the clock is from straight lines between output times, at most, in source seconds."""
    quarters = out[:-1, None] + np.diff(out)[:, None] * np.array([0.25, 0.5, 0.75])
    ends = clock.source(out)
    straight = ends[:-1, None] + np.diff(ends)[:, None] * np.array([0.25, 0.5, 0.75])
    return float(np.abs(clock.source(quarters) - straight).max())
