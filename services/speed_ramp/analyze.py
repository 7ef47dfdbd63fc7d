"""speed-ramp.analyze: video -> motion and speed curve."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.clock import Clock, Floats
from services.speed_ramp.curve import Trace, from_motion, segment_speeds
from services.speed_ramp.motion import Meter, Step, analysis_size
from services.speed_ramp.params import AnalyzeParams, AnalyzeResult, CurvePoint, Motion
from shared.errors import UnsupportedMedia
from shared.operation import Progress, Silent
from shared.video import Frame, VideoInfo, map_ordered, probe, read_frames

_MOST_VALUES = 100_000
_LONGEST_CUT = 2  # pairs: a cut changes one, a single flashed frame two; more in a row is motion too fast for the flow


def analyze(params: AnalyzeParams, *, video: Path, progress: Progress = Silent()) -> AnalyzeResult:
    """Measure the motion of `video` and make a speed curve from it.

    Reads the luma of every frame once; memory holds two numbers per frame and no more. Raises UnsupportedMedia for what is not a
    video, BrokenMedia where the file breaks, Invalid if the segments are too many.
    """
    trace, cuts = measure(video, probe_video(video), progress)
    points = from_motion(trace, params)
    return AnalyzeResult(
        motion=_thinned(trace),
        curve=[CurvePoint(t=t, speed=speed) for t, speed in points],
        speeds=segment_speeds(points, params.segment_duration, trace.duration_s),
        segment_duration=params.segment_duration,
        duration_s=trace.duration_s,
        ramped_duration_s=float(Clock(points).out(trace.duration_s)),
        frames=len(trace.times) + 1,
        cuts=cuts,
    )


def probe_video(video: Path) -> VideoInfo:
    """What is known about a video file. Raises UnsupportedMedia for a still image."""
    info = probe(video)
    if not isinstance(info, VideoInfo):
        raise UnsupportedMedia(f"{video.name!r} is a still image: a speed ramp needs a video.")
    return info


def measure(video: Path, info: VideoInfo, progress: Progress) -> tuple[Trace, list[float]]:
    """Motion of a video in frame diagonals a second, one value per pair of frames, and the seconds of its cuts."""
    times, motion, mismatched = array("d"), array("d"), array("b")
    total, end = max(info.frames, 1), 0.0
    for done, look in enumerate(_steps(video, info), start=1):
        end = look.end
        if look.step is not None:
            times.append(look.time)
            motion.append(look.step.motion / look.elapsed)
            mismatched.append(look.step.cut)
        progress(min(done, total), total)
    progress(total, total)
    values, cuts = without_cuts(np.array(times), np.array(motion), np.array(mismatched, dtype=bool))
    return Trace(times=np.array(times), values=values, duration_s=end), cuts


def without_cuts(times: Floats, values: Floats, mismatched: NDArray[np.bool_]) -> tuple[Floats, list[float]]:
    """`values` with those across cuts and flashes replaced by what lies around them, and the times of the cuts."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mismatched, [False]]).astype(np.int8)))
    runs = [(a, b) for a, b in edges.reshape(-1, 2) if b - a <= _LONGEST_CUT]
    known = np.ones(len(values), dtype=bool)
    for start, stop in runs:
        known[start:stop] = False
    if runs and known.any():
        values = np.interp(times, times[known], values[known])
    elif runs:
        values = np.zeros_like(values)
    return values, [float(times[start]) for start, _ in runs]


@dataclass(frozen=True, slots=True)
class _Look:
    """A frame's time and end, and what happened since the frame before, `elapsed` seconds earlier."""

    time: float
    end: float
    elapsed: float
    step: Step | None


def _steps(video: Path, info: VideoInfo) -> Iterator[_Look]:
    size, meter = analysis_size(info.width, info.height), Meter()

    def shrink(frame: Frame | None) -> tuple[Frame, NDArray[np.uint8]] | None:
        return None if frame is None else (frame, frame.small_luma(*size))

    def compare(pair: tuple[tuple[Frame, NDArray[np.uint8]] | None, tuple[Frame, NDArray[np.uint8]] | None]) -> _Look:
        before, after = pair
        assert after is not None
        frame, small = after
        end = float(frame.time + frame.duration * frame.time_base)
        if before is None:
            return _Look(float(frame.time), end, 0.0, None)
        return _Look(float(frame.time), end, float(frame.time - before[0].time), meter(before[1], small))

    with read_frames(video) as frames:
        smalls = map_ordered(shrink, _after_none(frames), ahead=2)
        yield from map_ordered(compare, pairwise(smalls), ahead=2)


def _after_none(frames: Iterator[Frame]) -> Iterator[Frame | None]:
    yield None
    yield from frames


def _thinned(trace: Trace) -> Motion:
    """The motion with groups of frames averaged where there are more values than a result should carry."""
    group = -(-len(trace.times) // _MOST_VALUES) or 1
    starts = np.arange(0, len(trace.times), group)
    means = np.add.reduceat(trace.values, starts) / np.diff(np.append(starts, len(trace.values))) if len(starts) else trace.values
    last = np.minimum(starts + group, len(trace.times)) - 1
    return Motion(times=trace.times[last].tolist(), values=np.round(means, 6).tolist())
