"""Positions of shots on an editing timeline.

The timeline consists of whole frames at a constant rate, and counts from the source's timecode.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from services.keyframes.output.report import Keyframe, VideoReport
from services.keyframes.selection.shots import Shot
from shared.editing.rates import constant_rate
from shared.video.probing.timecode import Timecode


@dataclass(frozen=True, slots=True)
class Event:
    """A shot on an editing timeline.

    Timeline frames count from the video's first frame.
    """

    shot: Shot
    start: int
    """Timeline frame of the shot's first frame."""
    end: int
    """Timeline frame after the shot's last frame."""
    keyframes: tuple[tuple[int, Keyframe], ...]
    """Pairs of timeline frame and keyframe, for each keyframe of the shot."""


@dataclass(frozen=True)
class FrameGrid:
    """Editing timeline with the frames of one video.

    At a constant rate, timeline frames are the video's frames. Editing programs convert a variable rate to a constant one by time. A shot
    then begins at the timeline frame nearest to its `start_s`. A shot that rounds to zero frames is left out of `events`.
    """

    report: VideoReport

    @cached_property
    def rate(self) -> Fraction:
        """Exact frames per second of the timeline."""
        return constant_rate(Fraction(self.report.constant_rate or self.report.frame_rate), varies=self.report.variable_frame_rate)

    @cached_property
    def start(self) -> Timecode:
        """Timecode of the first frame.

        It is 00:00:00:00 if the file has no timecode or an invalid one.
        """
        try:
            return Timecode.parse(self.report.start_timecode or "", self.rate)
        except ValueError:
            return Timecode(0, self.rate)

    @cached_property
    def frames(self) -> int:
        """Length of the video in timeline frames, at least 1."""
        return max(self.report.frames if self._is_one_to_one else round(self.report.duration_s * self.rate), 1)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """All shots of at least one timeline frame, in order and without gaps."""
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
        """Return the timeline frame for a video frame.

        `frame`: frame number. `time_s`: time of the frame in seconds.
        """
        return frame if self._is_one_to_one else math.floor(time_s * self.rate + 0.5)

    def timecode(self, frame: int) -> Timecode:
        """Return the timecode of a timeline frame."""
        return self.start + frame

    @property
    def _is_one_to_one(self) -> bool:
        return not self.report.variable_frame_rate and self.rate == Fraction(self.report.frame_rate)
