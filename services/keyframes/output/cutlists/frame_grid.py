"""The shots on an editing timeline: whole frames of a constant rate, counted from the source's own timecode."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from services.keyframes.params import Keyframe, Shot, VideoReport
from shared.editing.rates import constant_rate
from shared.video.timecode import Timecode


@dataclass(frozen=True, slots=True)
class Event:
    """A shot from timeline frame `start` to `end` (exclusive), frames counted from the video's first one, and its `keyframes`."""

    shot: Shot
    start: int
    end: int
    keyframes: tuple[tuple[int, Keyframe], ...]


@dataclass(frozen=True)
class Grid:
    """A video as editing programs count it.

    Where the frame rate is constant, a frame of the timeline is a frame of the video, by number. Where it varies, programs bring a clip to
    a constant rate by its times: then a shot begins at the frame nearest to its `start_s`, and one that rounding leaves no frame is not
    among the events.
    """

    report: VideoReport

    @cached_property
    def rate(self) -> Fraction:
        """Frames a second, exactly."""
        return constant_rate(Fraction(self.report.frame_rate), varies=self.report.variable_frame_rate)

    @cached_property
    def start(self) -> Timecode:
        """The timecode of the first frame; 00:00:00:00 where the file carries none that can be."""
        try:
            return Timecode.parse(self.report.start_timecode or "", self.rate)
        except ValueError:
            return Timecode(0, self.rate)

    @cached_property
    def frames(self) -> int:
        """Length of the video on the timeline."""
        return max(self.report.frames if self._by_number else round(self.report.duration_s * self.rate), 1)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The shots in order, without gaps."""
        starts = [self.at(shot.start_frame, shot.start_s) for shot in self.report.shots]
        made = []
        for shot, start, end in zip(self.report.shots, starts, [*starts[1:], self.frames], strict=True):
            if start >= end:
                continue
            own = [one for one in self.report.keyframes if one.shot == shot.index]
            marks = ((min(max(self.at(one.frame, one.timestamp_s), start), end - 1), one) for one in own)
            made.append(Event(shot, start, end, tuple(marks)))
        return tuple(made)

    def at(self, frame: int, time_s: float) -> int:
        """The timeline frame of the video's frame `frame`, which is shown at `time_s`."""
        return frame if self._by_number else math.floor(time_s * self.rate + 0.5)

    def timecode(self, frame: int) -> Timecode:
        """The timecode of a timeline frame."""
        return self.start + frame

    @property
    def _by_number(self) -> bool:
        return not self.report.variable_frame_rate and self.rate == Fraction(self.report.frame_rate)
