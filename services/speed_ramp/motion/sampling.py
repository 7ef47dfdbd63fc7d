"""Which frames of a clip motion is measured between: all of them, or pairs here and there in a long clip."""

import math
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

from shared.video import Frame, VideoInfo, read_frames, to_fraction

CLOSEST_S = Fraction(1, 36)
"""Frames nearer to each other are not compared, so that 60 frames a second give the motion, and the noise, that 30 give."""

_DENSE_S = Fraction(1, 15)  # pairs nearer than this are as good as every frame
_LOOKED_AT_S = 60  # how much of the clip shows how far its keyframes are apart
_OPENING_S = 1.0  # opening a file and jumping in it costs about as much as decoding this much of it
_PAIR_S = Fraction(1, 2)  # two frames are found within this, or there is no pair there


class Samples:
    """The frames to compare, in order; None stands before each frame that is not compared with the one before it.

    `start`, `duration`: the part of the clip, in seconds. `sample_rate`: pairs a second, None for every frame. Few pairs are jumped to
    where that is cheaper than decoding what lies between. `end` is where the part ends, known once all frames have been handed out.
    """

    def __init__(self, video: Path, info: VideoInfo, *, start: float, duration: float | None, sample_rate: float | None) -> None:
        self._video = video
        self._start = to_fraction(start)
        self._stop = None if duration is None else self._start + to_fraction(duration)
        self._apart = None if sample_rate is None else 1 / to_fraction(sample_rate)
        known = to_fraction(info.duration_s)
        self._known = known if self._stop is None else min(self._stop, known)
        self.end = self._start

    @property
    def every_frame(self) -> bool:
        """Whether no frame is passed over but those that are too close to each other."""
        return self._apart is None or self._apart <= _DENSE_S

    def expected(self, info: VideoInfo) -> int:
        """About how many frames there are to look at."""
        seconds = float(max(self._known - self._start, Fraction(0)))
        a_second = min(float(info.rate) or 25.0, float(1 / CLOSEST_S)) if self.every_frame else 2 / float(self._apart or 1)
        return max(round(seconds * a_second), 1)

    def __iter__(self) -> Generator[Frame | None, None, None]:
        if self.every_frame or self._apart is None:
            return self._all()
        return self._jumping(self._apart) if self._apart >= self._keyframe_spacing() / 2 + _OPENING_S else self._passing(self._apart)

    def _all(self) -> Generator[Frame | None, None, None]:
        yield None
        last: Frame | None = None
        for frame in self._frames():
            if last is None or frame.time - last.time >= CLOSEST_S:
                last = frame
                yield frame

    def _passing(self, apart: Fraction) -> Generator[Frame | None, None, None]:
        """A pair in the middle of each stretch of `apart` seconds, everything decoded."""
        first: Frame | None = None
        centre = self._start + apart / 2
        for frame in self._frames():
            if first is None and frame.time >= centre:
                first = frame
                yield from (None, frame)
            elif first is not None and frame.time - first.time >= CLOSEST_S:
                yield frame
                centre += apart * (math.floor((frame.time - centre) / apart) + 1)
                first = None

    def _jumping(self, apart: Fraction) -> Generator[Frame | None, None, None]:
        """The same pairs, the file opened anew at each of them."""
        self.end = self._known
        for number in range(math.ceil((self._known - self._start) / apart)):
            first: Frame | None = None
            with read_frames(self._video, start=self._start + apart * (number + Fraction(1, 2)), duration=_PAIR_S, prefetch=2) as frames:
                for frame in frames:
                    if self._stop is not None and frame.time >= self._stop:
                        break
                    if first is None:
                        first = frame
                        yield from (None, frame)
                    elif frame.time - first.time >= CLOSEST_S:
                        yield frame
                        break

    def _frames(self) -> Generator[Frame, None, None]:
        duration = None if self._stop is None else self._stop - self._start
        with read_frames(self._video, start=self._start or None, duration=duration) as frames:
            for frame in frames:
                end = frame.time + frame.duration * frame.time_base
                self.end = end if self._stop is None else min(end, self._stop)
                yield frame

    def _keyframe_spacing(self) -> float:
        with read_frames(self._video, start=self._start or None, duration=_LOOKED_AT_S, skip="nonkey", prefetch=2) as frames:
            times = [float(frame.time) for frame in frames]
        return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else _LOOKED_AT_S
