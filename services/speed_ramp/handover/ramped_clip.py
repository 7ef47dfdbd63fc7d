"""A ramped clip as exports describe it: frames, pieces, timecodes."""

import math
from dataclasses import dataclass
from fractions import Fraction

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point
from services.speed_ramp.curve.slow_parts import SlowPart
from services.speed_ramp.curve.straight_pieces import FramePiece, frame_pieces, inside_media
from shared.video import VideoInfo, to_fraction
from shared.video.probing.timecode import Timecode, counted_rate

_ROUNDING = Fraction(1, 50)  # tolerance, in frames, for rounding errors of a container's times


@dataclass(frozen=True, slots=True, kw_only=True)
class RampedClip:
    """A part of a clip, retimed along a speed curve.

    `start`, `end`: limits of the part in source seconds. The timeline has `rate` frames per second, the media `media_rate`.
    """

    name: str
    media_url: str
    info: VideoInfo
    points: list[Point]
    start: float
    end: float
    rate: Fraction
    media_rate: Fraction
    slow_parts: list[SlowPart]

    @property
    def frames(self) -> int:
        """Number of frames on the timeline."""
        return max(round(float(Clock(self.points, start=self.start).left(self.end)) * self.rate), 1)

    @property
    def frame_rate(self) -> str:
        """Frame rate of the timeline as a fraction, such as "30000/1001"."""
        return f"{self.rate.numerator}/{self.rate.denominator}"

    @property
    def media_frames(self) -> int:
        """Number of whole frames in the media, at the media's rate."""
        return max(math.floor(to_fraction(self.info.length_s) * self.media_rate + _ROUNDING), 1)

    @property
    def media_end(self) -> float:
        """End of the media's last frame, in source seconds."""
        return min(float(self.media_frames / self.media_rate), self.info.length_s)

    @property
    def pieces(self) -> list[FramePiece]:
        """Constant-speed pieces on the timeline.

        The pieces consist of whole frames. No piece plays anything after the media's last frame.
        """
        pieces = frame_pieces(self.points, start=self.start, end=self.end, rate=self.rate)
        return inside_media(pieces, end=self.media_end, frame_s=float(1 / self.media_rate), rate=self.rate)

    @property
    def timecode(self) -> Timecode:
        """Timecode of the media's first frame at the media's rate.

        It is 00:00:00:00 if the file has no timecode or an invalid one.
        """
        return _timecode(self.info.start_timecode or "", self.media_rate)

    @property
    def timeline_timecode(self) -> Timecode:
        """Timecode of the media's first frame at the timeline's rate."""
        timecode = self.timecode
        if self.rate == self.media_rate:
            return timecode
        text = str(timecode)
        frame = int(text[9:]) * counted_rate(self.rate) // counted_rate(self.media_rate)
        return _timecode(f"{text[:9]}{frame:02}", self.rate)


def _timecode(text: str, rate: Fraction) -> Timecode:
    try:
        return Timecode.parse(text, rate)
    except ValueError:
        return Timecode(0, rate)
