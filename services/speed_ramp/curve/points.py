"""Control points of a speed curve, with their limits."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from shared.operation import Params, cell

MIN_SPEED, MAX_SPEED = 0.1, 16.0
"""Slowest and fastest playback speed of any curve."""

MAX_POINTS = 100_000
"""Maximum number of points in a curve, and of speeds in a list. A six-hour clip needs a fraction of it."""

Easing = Literal["linear", "smooth", "hold"]


class CurvePoint(Params):
    """One control point of a speed curve."""

    t: float = Field(
        ge=0,
        le=1e6,
        description="Time of the point, in seconds from the start of the source.",
        title="Time",
        json_schema_extra=cell(unit="s", widget="time"),
    )
    speed: float = Field(
        ge=MIN_SPEED,
        le=MAX_SPEED,
        description="Playback speed at `t`: 1 is normal speed, 0.5 is half speed.",
        title="Speed",
        json_schema_extra=cell(unit="x"),
    )
    easing: Easing = Field(
        "linear",
        description="How the speed changes on the way to the next point: `linear` at a constant rate, `smooth` along an S-curve that is "
        "level at both ends, `hold` not at all until the next point, where it jumps.",
        title="Change to the next point",
        json_schema_extra=cell(labels={"linear": "Straight", "smooth": "Smooth", "hold": "Hold"}),
    )
    freeze: float = Field(
        0.0,
        ge=0,
        le=3600,
        description="Length in seconds of a freeze frame at `t`. Freezes are silent.",
        title="Freeze",
        json_schema_extra=cell(unit="s"),
    )


class Point(NamedTuple):
    """An unvalidated control point for computations.

    It has the fields of `CurvePoint`. Validation would take too long, since clips have thousands of points. `t`: source seconds; `speed`:
    above 0; `easing`: how the speed changes towards the next point; `freeze`: output seconds.
    """

    t: float
    speed: float
    easing: Easing = "linear"
    freeze: float = 0.0


def from_points(points: Sequence[CurvePoint]) -> list[Point]:
    """Convert the control points of a request to `Point` objects."""
    return [Point(point.t, point.speed, point.easing, point.freeze) for point in points]


def to_points(points: Sequence[Point]) -> list[CurvePoint]:
    """Convert points to the control points of a result."""
    return [CurvePoint(t=point.t, speed=point.speed, easing=point.easing, freeze=point.freeze) for point in points]


def shifted(points: Sequence[Point], seconds: float) -> list[Point]:
    """Shift all points by `seconds`."""
    return [point._replace(t=point.t + seconds) for point in points]
