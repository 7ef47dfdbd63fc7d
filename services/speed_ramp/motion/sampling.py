"""Choice of the frames between which motion is measured.

In a short clip all frames are used, in a long clip sampled pairs.
"""

import math
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from shared.video import Frame, VideoInfo, read_frames, to_fraction

CLOSEST_S = Fraction(1, 36)
"""Minimum time between compared frames, in seconds. A clip at 60 frames per second then gives the same motion and noise as at 30."""

_DENSE_S = Fraction(1, 15)  # distance between pairs, in seconds, up to which every frame is compared
_KEYFRAME_SAMPLE_S = 60  # seconds at the start of the clip in which the distance between keyframes is measured
_SEEK_S = 1.0  # seconds of the clip that are decoded in the time it takes to open the file and seek
_PAIR_S = Fraction(1, 2)  # largest distance between the frames of a pair, in seconds


class SampledPart(Protocol):
    """Params that choose the frames to compare.

    A part of the clip in seconds, and pairs per second.
    """

    @property
    def start(self) -> float: ...
    @property
    def duration(self) -> float | None: ...
    @property
    def sample_rate(self) -> float | None: ...


class Samples:
    """Iterator over frames to compare, with None between separate pairs.

    None comes before each frame that is not compared with the previous one. `start`, `duration`: part of the clip, in seconds.
    `sample_rate`: pairs per second; None for every frame. Pairs are reached by seeking if that takes less time than decoding the frames
    between them. `end`: end of the part in seconds, exact after all frames have been read.
    """

    def __init__(self, video: Path, info: VideoInfo, *, start: float, duration: float | None, sample_rate: float | None) -> None:
        self._video = video
        self.start_s = start
        self._start = to_fraction(start)
        self._stop = None if duration is None else self._start + to_fraction(duration)
        self._interval = None if sample_rate is None else 1 / to_fraction(sample_rate)
        self._expected_end = to_fraction(info.length_s) if self._stop is None else min(self._stop, to_fraction(info.length_s))
        self.end = self._start

    @property
    def every_frame(self) -> bool:
        """Whether all frames are compared, except frames closer than CLOSEST_S."""
        return self._interval is None or self._interval <= _DENSE_S

    def expected(self, info: VideoInfo) -> int:
        """Estimate the number of frames to compare."""
        seconds = float(max(self._expected_end - self._start, Fraction(0)))
        per_second = min(float(info.rate) or 25.0, float(1 / CLOSEST_S)) if self.every_frame else 2 / float(self._interval or 1)
        return max(round(seconds * per_second), 1)

    def __iter__(self) -> Generator[Frame | None, None, None]:
        if self.every_frame or self._interval is None:
            return self._all()
        seeking = self._interval >= self._keyframe_spacing() / 2 + _SEEK_S
        return self._seeking(self._interval) if seeking else self._decoding(self._interval)

    def _all(self) -> Generator[Frame | None, None, None]:
        """Yield frames that are at least CLOSEST_S apart."""
        yield None
        last, least = 0, 0
        for number, frame in enumerate(self._frames()):
            # Whole ticks, because fractions of seconds for each frame would take a hundredth of the analysis.
            least = least or math.ceil(CLOSEST_S / frame.time_base)
            if number == 0 or frame.pts - last >= least:
                last = frame.pts
                yield frame

    def _decoding(self, interval: Fraction) -> Generator[Frame | None, None, None]:
        """Yield a frame pair every `interval` seconds, decoding all frames."""
        first: Frame | None = None
        centre = self._start + interval / 2
        for frame in self._frames():
            if first is None and frame.time >= centre:
                first = frame
                yield from (None, frame)
            elif first is not None and frame.time - first.time >= CLOSEST_S:
                yield frame
                centre += interval * (math.floor((frame.time - centre) / interval) + 1)
                first = None

    def _seeking(self, interval: Fraction) -> Generator[Frame | None, None, None]:
        """Yield a frame pair every `interval` seconds, seeking to each pair."""
        self.end = self._expected_end
        for number in range(math.ceil((self._expected_end - self._start) / interval)):
            first: Frame | None = None
            middle = self._start + interval * (number + Fraction(1, 2))
            with read_frames(self._video, opaque=True, start=middle, duration=_PAIR_S, prefetch=2) as frames:
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
        """Yield all frames of the part, and then set `end`."""
        duration = None if self._stop is None else self._stop - self._start
        with read_frames(self._video, opaque=True, start=self._start or None, duration=duration) as frames:
            last: Frame | None = None
            for frame in frames:
                last = frame
                yield frame
        if last is not None:
            end = (last.pts + last.duration) * last.time_base
            self.end = end if self._stop is None else min(end, self._stop)

    def _keyframe_spacing(self) -> float:
        """Return the mean interval of keyframes near the start, in seconds."""
        with read_frames(
            self._video, opaque=True, start=self._start or None, duration=_KEYFRAME_SAMPLE_S, skip="nonkey", prefetch=2
        ) as frames:
            times = [float(frame.time) for frame in frames]
        return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else _KEYFRAME_SAMPLE_S
