"""The choice of a clip's curve: given, from listed speeds, or from motion."""

from dataclasses import dataclass
from pathlib import Path

from services.speed_ramp.analyze import AnalyzeResult, analyze
from services.speed_ramp.curve.constraints import Constraints, constrained
from services.speed_ramp.curve.from_speeds import from_speeds
from services.speed_ramp.curve.points import MAX_SPEED, MIN_SPEED, Point, from_points, shifted
from services.speed_ramp.curve.snap import snap_times
from services.speed_ramp.params import CurveParams
from shared.operation import Progress
from shared.video import VideoInfo
from shared.video.clip.empty_part import check_start


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCurve:
    """A curve, the end of its part of the source, and the analysis.

    `end` is in source seconds: exact after an analysis, otherwise the duration that the file states. The analysis is None if there was
    none.
    """

    points: list[Point]
    end: float
    analysis: AnalyzeResult | None


def choose_curve(params: CurveParams, video: Path, info: VideoInfo, progress: Progress, *, motion: Path | None = None) -> ChosenCurve:
    """Return the curve that `params` describe.

    Reads `video` only to analyse it or to find beats. `motion`: see `analyze`. Raises what `analyze`, `snap_times` and `constrained` raise.
    """
    check_start(info, params.start)
    if params.curve is None and params.speeds is None:
        analysis = analyze(params, video=video, progress=progress, motion=motion)
        return ChosenCurve(points=from_points(analysis.curve), end=params.start + analysis.duration_s, analysis=analysis)
    times = snap_times(params.snap_to, video, info, start=params.start, duration=params.duration, progress=progress)
    end = info.length_s if params.duration is None else min(params.start + params.duration, info.length_s)
    points = from_points(params.curve or [])
    if params.speeds is not None:
        length_s = end - params.start
        listed = from_speeds(params.speeds, segment_duration=params.segment_duration, smoothing=params.smoothing, duration_s=length_s)
        points = shifted(listed, params.start)
    constraints = Constraints(snap_times=times, max_acceleration=params.max_acceleration, target_duration=params.target_duration)
    points = constrained(points, constraints, start=params.start, end=end, limits=(MIN_SPEED, MAX_SPEED))
    return ChosenCurve(points=points, end=end, analysis=None)
