"""Choice of a clip's speed curve.

A curve is given, or made from listed speeds or from motion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.speed_ramp.analysis.motion_analysis import CurveRequest, MotionAnalysis, analyze_motion
from services.speed_ramp.curve.constraints import Constraints, constrained
from services.speed_ramp.curve.from_speeds import from_speeds
from services.speed_ramp.curve.points import MAX_SPEED, MIN_SPEED, CurvePoint, Point, from_points, shifted
from services.speed_ramp.curve.snap import snap_times
from shared.operation import Progress
from shared.video import VideoInfo
from shared.video.clip.empty_part import check_start


class ChoiceRequest(CurveRequest, Protocol):
    """Params from which `choose_curve` makes a speed curve.

    They hold a curve, or a list of speeds, or neither for a curve from motion.
    """

    @property
    def curve(self) -> Sequence[CurvePoint] | None: ...
    @property
    def speeds(self) -> Sequence[float] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCurve:
    """A chosen speed curve, with the motion analysis if it was made from motion.

    `end`: end of the used part in source seconds. It is exact after an analysis; otherwise it follows from the duration that the file
    states. `analysis`: None if the curve was not made from motion.
    """

    points: list[Point]
    end: float
    analysis: MotionAnalysis | None


def choose_curve(request: ChoiceRequest, video: Path, info: VideoInfo, progress: Progress, *, motion: Path | None = None) -> ChosenCurve:
    """Return the requested speed curve: a given curve, or one from speeds or motion.

    Reads `video` only to analyse it or to find beats. `motion`: file of measured motion, see `analyze_motion`. Raises the errors of
    `analyze_motion`, `snap_times` and `constrained`.
    """
    check_start(info, request.start)
    if request.curve is None and request.speeds is None:
        analysis = analyze_motion(request, video, info, progress, file=motion)
        return ChosenCurve(points=analysis.points, end=request.start + analysis.duration_s, analysis=analysis)
    times = snap_times(request.snap_to, video, info, start=request.start, duration=request.duration, progress=progress)
    end = info.length_s if request.duration is None else min(request.start + request.duration, info.length_s)
    points = from_points(request.curve or [])
    if request.speeds is not None:
        length_s = end - request.start
        listed = from_speeds(request.speeds, segment_duration=request.segment_duration, smoothing=request.smoothing, duration_s=length_s)
        points = shifted(listed, request.start)
    constraints = Constraints(snap_times=times, max_acceleration=request.max_acceleration, target_duration=request.target_duration)
    points = constrained(points, constraints, start=request.start, end=end, limits=(MIN_SPEED, MAX_SPEED))
    return ChosenCurve(points=points, end=end, analysis=None)
