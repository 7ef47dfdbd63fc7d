"""speed-ramp.analyze: video -> motion and speed curve."""

from array import array
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.curve.clock import Clock, Floats
from services.speed_ramp.curve.constraints import asks, shaped
from services.speed_ramp.curve.from_motion import Trace, from_motion, segment_speeds, shifted, to_points
from services.speed_ramp.curve.snap import with_times
from services.speed_ramp.motion.camera import length, steadied
from services.speed_ramp.motion.measure import Meter, Step, analysis_size
from services.speed_ramp.motion.sampling import Samples
from services.speed_ramp.params import AnalyzeParams, AnalyzeResult, Motion
from shared.errors import Invalid
from shared.operation import Progress, Silent
from shared.video import Frame, VideoInfo, map_ordered, probe_video

_MOST_VALUES = 100_000
_LONGEST_CUT = 2  # pairs: a cut changes one, a single flashed frame two; more in a row is motion too fast for the flow


def analyze(params: AnalyzeParams, *, video: Path, progress: Progress = Silent()) -> AnalyzeResult:
    """Measure the motion of `video` and make a speed curve from it.

    Reads the luma of every frame once, or of `sample_rate` pairs a second; memory holds a few numbers per pair and no more. Raises
    UnsupportedMedia for what is not a video, BrokenMedia where the file breaks, Invalid for a part that is not there or too many segments.
    """
    info = probe_video(video)
    check_part(info, params)
    listening = params.snap_to == "beats"
    params = with_times(params, video, info, progress.part("listening", 0, 0.1) if listening else progress)
    measured = measure(video, info, params, progress.part("measuring", 0.1, 1) if listening else progress)
    trace = measured.trace
    end = params.start + trace.duration_s
    points = shifted(from_motion(trace, params), params.start)
    if asks(params):
        points = shaped(points, params, start=params.start, end=end, limits=(params.min_speed, params.max_speed))
    return AnalyzeResult(
        motion=_thinned(trace, params.start),
        curve=to_points(points),
        speeds=segment_speeds(points, params.segment_duration, trace.duration_s, start=params.start),
        segment_duration=params.segment_duration,
        duration_s=trace.duration_s,
        ramped_duration_s=float(Clock(points, start=params.start).left(end)),
        frames=measured.frames,
        beats=list(params.snap_to or ()) if listening else [],
        cuts=[params.start + cut for cut in measured.cuts],
    )


def check_part(info: VideoInfo, params: AnalyzeParams) -> None:
    """Raise Invalid if there is nothing of the video from `start` on."""
    if params.start and params.start >= info.duration_s:
        detail = f"The video is {info.duration_s:.2f} s long: a start at {params.start:g} s leaves nothing of it"
        raise Invalid(f"{detail}. Choose an earlier start.", errors=[{"field": "params.start", "detail": detail}])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The motion of a video, or a part of it, the seconds of its cuts, both counted from the part's start, and the frames looked at."""

    trace: Trace
    cuts: list[float]
    frames: int


def measure(video: Path, info: VideoInfo, params: AnalyzeParams, progress: Progress) -> Measured:
    """Look at the part of a video that `params` names."""
    samples = Samples(video, info, start=params.start, duration=params.duration, sample_rate=params.sample_rate)
    times, subject, camera, mismatched, frames = array("d"), array("d"), array("f"), array("b"), 0
    total = samples.expected(info)
    for look in _steps(samples, analysis_size(info.width, info.height)):
        frames += 1
        if look.step is not None:
            times.append(look.time - params.start)
            subject.append(look.step.subject / look.elapsed)
            camera.extend((look.step.camera / look.elapsed).ravel())
            mismatched.append(look.step.cut)
        progress(min(frames, total), total)
    if not frames:
        raise Invalid(f"No frame of the video begins in the part from {params.start:g} s on. Choose another start or a longer duration.")
    progress(total, total)
    at, count = np.array(times), len(times)
    # A pair on its own stands for what lies around it, one of many for the time since the frame before.
    ends = at if samples.every_frame else np.append((at[1:] + at[:-1]) / 2, at[-1:] + 1e-9)
    both = np.concatenate([np.array(subject)[:, None], np.array(camera, dtype=np.float64).reshape(count, 6)], axis=1)
    both, cuts = without_cuts(at, both, np.array(mismatched, dtype=bool))
    moved = length(steadied(both[:, 1:].reshape(count, 3, 2), ends), info.width, info.height)
    # Two movements of unrelated directions add up like this.
    values = {"subject": both[:, 0], "camera": moved, "total": np.hypot(both[:, 0], moved)}[params.measure]
    trace = Trace(times=at, ends=ends, values=values, duration_s=float(samples.end) - params.start)
    return Measured(trace=trace, cuts=cuts, frames=frames)


def without_cuts(times: Floats, values: Floats, mismatched: NDArray[np.bool_]) -> tuple[Floats, list[float]]:
    """`values` (n, k) with those across cuts and flashes replaced by what lies around them, and the times of the cuts."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mismatched, [False]]).astype(np.int8)))
    runs = [(a, b) for a, b in edges.reshape(-1, 2) if b - a <= _LONGEST_CUT]
    known = np.ones(len(values), dtype=bool)
    for start, stop in runs:
        known[start:stop] = False
    if runs and known.any():
        values = np.stack([np.interp(times, times[known], column[known]) for column in values.T], axis=1)
    elif runs:
        values = np.zeros_like(values)
    return values, [float(times[start]) for start, _ in runs]


@dataclass(frozen=True, slots=True)
class _Look:
    """A frame's time, and what happened since the frame before, `elapsed` seconds earlier."""

    time: float
    elapsed: float
    step: Step | None


def _steps(samples: Samples, size: tuple[int, int]) -> Iterator[_Look]:
    meter = Meter()

    def shrink(frame: Frame | None) -> _Small | None:
        return None if frame is None else _Small(frame.time, frame.small_luma(*size))

    def compare(pair: tuple[_Small | None, _Small | None]) -> _Look | None:
        before, after = pair
        if after is None:
            return None
        if before is None:
            return _Look(float(after.time), 0.0, None)
        return _Look(float(after.time), float(after.time - before.time), meter(before.luma, after.luma))

    with closing(iter(samples)) as frames:
        smalls = map_ordered(shrink, frames, ahead=2)
        yield from (look for look in map_ordered(compare, pairwise(smalls), ahead=2) if look is not None)


@dataclass(frozen=True, slots=True)
class _Small:
    time: Fraction
    luma: NDArray[np.uint8]


def _thinned(trace: Trace, start: float) -> Motion:
    """The motion with groups of frames averaged where there are more values than a result should carry."""
    group = -(-len(trace.times) // _MOST_VALUES) or 1
    starts = np.arange(0, len(trace.times), group)
    means = np.add.reduceat(trace.values, starts) / np.diff(np.append(starts, len(trace.values))) if len(starts) else trace.values
    last = np.minimum(starts + group, len(trace.times)) - 1
    return Motion(times=(start + trace.times[last]).tolist(), values=np.round(means, 6).tolist())
