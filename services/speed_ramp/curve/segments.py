"""Division of a curve into equal segments with mean speeds."""

import math
from collections.abc import Sequence

import numpy as np

from services.speed_ramp.curve.clock import Clock, Floats
from services.speed_ramp.curve.points import MAX_POINTS, Point
from shared.errors import Invalid


def segments(duration_s: float, segment_duration: float) -> tuple[Floats, Floats]:
    """Divide a duration into segments.

    Returns their starts and their ends in seconds. The last segment may be shorter. Raises Invalid if there are more segments than points
    allowed in a curve.
    """
    # A rest shorter than a thousandth of a segment comes from rounded times and gets no segment.
    count = max(math.ceil(duration_s / segment_duration - 1e-3), 1)
    if count > MAX_POINTS - 2:
        raise Invalid(
            f"{duration_s:.0f} s in segments of {segment_duration:g} s make {count} segments, but at most {MAX_POINTS - 2} are allowed. "
            "Choose a longer segment_duration."
        )
    starts: Floats = np.arange(count, dtype=np.float64) * segment_duration
    return starts, np.append(starts[1:], duration_s)


def segment_speeds(points: Sequence[Point], segment_duration: float, duration_s: float, *, start: float = 0.0) -> list[float]:
    """Return the mean speed in each segment.

    The mean speed is the segment's source seconds divided by its output seconds.
    """
    starts, ends = segments(duration_s, segment_duration)
    clock = Clock(points, start=start)
    return [float(speed) for speed in (ends - starts) / (clock.left(start + ends) - clock.left(start + starts))]
