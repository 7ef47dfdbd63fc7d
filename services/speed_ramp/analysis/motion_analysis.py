"""Analysis of a clip's motion, and the speed curve made from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.speed_ramp.curve.constraints import Constraints, constrained
from services.speed_ramp.curve.from_motion import MotionToSpeed, from_motion
from services.speed_ramp.curve.points import Point, shifted
from services.speed_ramp.curve.snap import SnapTo, snap_times
from services.speed_ramp.motion.motion_curve import Motion, motion_curve
from services.speed_ramp.motion.sampling import SampledPart, Samples
from services.speed_ramp.motion.trace import MEASURES, measure_motion
from shared.operation import Progress
from shared.video import VideoInfo
from shared.video.clip.empty_part import check_start


class CurveRequest(MotionToSpeed, SampledPart, Protocol):
    """Params of a motion analysis and of the curve made from it.

    Times are in seconds of source, the target duration in seconds of output.
    """

    @property
    def measure(self) -> str: ...
    @property
    def snap_to(self) -> SnapTo: ...
    @property
    def max_acceleration(self) -> float | None: ...
    @property
    def target_duration(self) -> float | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionAnalysis:
    """Motion of a part of a clip, with its speed curve.

    Times are in seconds of source.

    `duration_s`: length of the part. `frames`: number of frames that were compared. `beats`: empty unless the curve snaps to them.
    """

    motion: Motion
    points: list[Point]
    duration_s: float
    frames: int
    beats: list[float]
    cuts: list[float]


def analyze_motion(request: CurveRequest, video: Path, info: VideoInfo, progress: Progress, *, file: Path | None = None) -> MotionAnalysis:
    """Measure the motion of `video` and derive a speed curve.

    `file`: file of an earlier measurement of the same part; if it does not exist, it is written. Raises BrokenMedia for a damaged file,
    Invalid for an empty part or too many segments, and the errors of `snap_times` and `constrained`.
    """
    check_start(info, request.start)
    finds_beats = request.snap_to == "beats"
    times = snap_times(
        request.snap_to,
        video,
        info,
        start=request.start,
        duration=request.duration,
        progress=progress.part("finding beats", 0, 0.1) if finds_beats else progress,
    )
    samples = Samples(video, info, start=request.start, duration=request.duration, sample_rate=request.sample_rate)
    stage = progress.part("measuring", 0.1, 1) if finds_beats else progress
    measured = measure_motion(info, samples, MEASURES[request.measure], stage, file=file)
    trace = measured.trace
    points = constrained(
        shifted(from_motion(trace, request), request.start),
        Constraints(snap_times=times, max_acceleration=request.max_acceleration, target_duration=request.target_duration),
        start=request.start,
        end=request.start + trace.duration_s,
        limits=(request.min_speed, request.max_speed),
    )
    return MotionAnalysis(
        motion=motion_curve(trace, request.start),
        points=points,
        duration_s=trace.duration_s,
        frames=measured.frames,
        beats=list(times or ()) if finds_beats else [],
        cuts=[request.start + cut for cut in measured.cuts],
    )
