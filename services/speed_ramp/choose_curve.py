"""The curve that a clip follows: the one that was given, one made of listed speeds, or one from its motion."""

from dataclasses import dataclass
from pathlib import Path

from services.speed_ramp.analyze import analyze, check_part
from services.speed_ramp.curve.clock import Point
from services.speed_ramp.curve.constraints import asks, shaped
from services.speed_ramp.curve.from_motion import from_points, from_speeds, shifted
from services.speed_ramp.curve.snap import with_times
from services.speed_ramp.params import MAX_SPEED, MIN_SPEED, AnalyzeParams, AnalyzeResult, CurveParams
from shared.operation import Progress
from shared.video import VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A curve's points, where the part ends (source seconds, as far as is known), and the analysis if there was one."""

    points: list[Point]
    end: float
    analysis: AnalyzeResult | None


def choose_curve(params: CurveParams, video: Path, info: VideoInfo, progress: Progress) -> Chosen:
    """The curve that `params` ask for; only to analyse, and to find beats, is `video` read. Raises what `analyze` and `shaped` raise."""
    check_part(info, params)
    if params.curve is None and params.speeds is None:
        analysis = analyze(
            AnalyzeParams(**{name: getattr(params, name) for name in AnalyzeParams.model_fields}), video=video, progress=progress
        )
        return Chosen(points=from_points(analysis.curve), end=params.start + analysis.duration_s, analysis=analysis)
    params = with_times(params, video, info, progress)
    # How long the video is to the frame shows only when it has been read.
    end = info.duration_s if params.duration is None else min(params.start + params.duration, info.duration_s)
    points = from_points(params.curve or [])
    if params.speeds is not None:
        length_s = end - params.start
        listed = from_speeds(params.speeds, segment_duration=params.segment_duration, smoothing=params.smoothing, duration_s=length_s)
        points = shifted(listed, params.start)
    if asks(params):
        points = shaped(points, params, start=params.start, end=end, limits=(MIN_SPEED, MAX_SPEED))
    return Chosen(points=points, end=end, analysis=None)
