"""The ramped clip that an export describes."""

from dataclasses import dataclass
from fractions import Fraction

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point
from services.speed_ramp.curve.slow_parts import SlowPart
from shared.video import VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class RampedClip:
    """A part of a clip, retimed along a curve.

    `start` to `end` in source seconds; the timeline has `rate` frames per second.
    """

    name: str
    media_url: str
    info: VideoInfo
    points: list[Point]
    start: float
    end: float
    rate: Fraction
    slow_parts: list[SlowPart]

    @property
    def frames(self) -> int:
        """Return the number of frames on the timeline."""
        return max(round(float(Clock(self.points, start=self.start).left(self.end)) * self.rate), 1)

    @property
    def frame_rate(self) -> str:
        """Return the frame rate as an exact fraction, such as "30000/1001"."""
        return f"{self.rate.numerator}/{self.rate.denominator}"
