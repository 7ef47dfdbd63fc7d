"""The shots on an editing timeline: whole frames at a constant rate, counted from the source's timecode."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from services.keyframes.output.report import Keyframe, VideoReport
from services.keyframes.selection.shots import Shot
from shared.editing.rates import constant_rate
from shared.video.timecode import Timecode


@dataclass(frozen=True, slots=True)
class Event:
    """A shot on the timeline.

    `start`, `end`: its first frame and the one after its last, counted from the video's first frame. `keyframes`: its keyframes with
    their timeline frames.
    """

    shot: Shot
    start: int
    end: int
    keyframes: tuple[tuple[int, Keyframe], ...]


@dataclass(frozen=True)
class FrameGrid:
    """A video as editing programs count its frames.

    At a constant rate timeline frames are the video's frames. Editing programs convert a variable rate to a constant one by time: a shot
    then begins at the timeline frame nearest to its `start_s`, and a shot that rounds to no frame is left out of `events`.
    """

    report: VideoReport

    @cached_property
    def rate(self) -> Fraction:
        """Exact frames per second of the timeline."""
        return constant_rate(Fraction(self.report.frame_rate), varies=self.report.variable_frame_rate)

    @cached_property
    def start(self) -> Timecode:
        """Timecode of the first frame; 00:00:00:00 if the file has none or an invalid one."""
        try:
            return Timecode.parse(self.report.start_timecode or "", self.rate)
        except ValueError:
            return Timecode(0, self.rate)

    @cached_property
    def frames(self) -> int:
        """Length of the video on the timeline."""
        return max(self.report.frames if self._is_one_to_one else round(self.report.duration_s * self.rate), 1)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The shots in order, without gaps."""
        starts = [self.at(shot.start_frame, shot.start_s) for shot in self.report.shots]
        events = []
        for shot, start, end in zip(self.report.shots, starts, [*starts[1:], self.frames], strict=True):
            if start >= end:
                continue
            own = [keyframe for keyframe in self.report.keyframes if keyframe.shot == shot.index]
            placed = ((min(max(self.at(keyframe.frame, keyframe.timestamp_s), start), end - 1), keyframe) for keyframe in own)
            events.append(Event(shot, start, end, tuple(placed)))
        return tuple(events)

    def at(self, frame: int, time_s: float) -> int:
        """Return the timeline frame of the video's frame number `frame`, shown at `time_s`."""
        return frame if self._is_one_to_one else math.floor(time_s * self.rate + 0.5)

    def timecode(self, frame: int) -> Timecode:
        """Return the timecode of a timeline frame."""
        return self.start + frame

    @property
    def _is_one_to_one(self) -> bool:
        return not self.report.variable_frame_rate and self.rate == Fraction(self.report.frame_rate)
