"""Slow-motion parts of a ramped clip."""

from itertools import pairwise

from pydantic import BaseModel, Field

from services.speed_ramp.curve.points import Point
from services.speed_ramp.curve.straight_pieces import time_map

_SLOW = 0.9  # speed below which a part is slow
_STILL_S = 1e-7  # source seconds that a freeze may play: more than rounding errors, less than any movement
_TOLERANCE_S = 0.002  # largest error, in source seconds, of the straight lines in which slow parts are found


class SlowPart(BaseModel):
    """A part of the output in slow motion."""

    start_s: float = Field(description="Start of the slow part, in seconds of output.")
    end_s: float = Field(description="End of the slow part, in seconds of output.")
    speed: float = Field(description="Slowest speed in the part; 0 for a freeze.")


def slow_parts(points: list[Point], *, start: float, end: float) -> list[SlowPart]:
    """Return the parts of the output slower than 0.9 times normal speed.

    Each freeze is a part of its own. `start`, `end`: source seconds of the clip's part.
    """
    parts: list[SlowPart] = []
    for (a, source_a), (b, source_b) in pairwise(time_map(points, start=start, end=end, tolerance_s=_TOLERANCE_S)):
        speed = (source_b - source_a) / (b - a)
        if speed >= _SLOW:
            continue
        speed = 0.0 if source_b - source_a < _STILL_S else speed
        if parts and abs(parts[-1].end_s - a) < 1e-9 and (parts[-1].speed > 0) == (speed > 0):
            parts[-1] = SlowPart(start_s=parts[-1].start_s, end_s=b, speed=round(min(parts[-1].speed, speed), 3))
        else:
            parts.append(SlowPart(start_s=a, end_s=b, speed=round(speed, 3)))
    return parts


def slow_name(part: SlowPart) -> str:
    """Return a slow part's name for markers and chapters."""
    return "Freeze" if part.speed < 1e-3 else f"Slow, {part.speed:g}x"
