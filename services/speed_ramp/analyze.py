"""speed-ramp.analyze: measure motion and propose a speed curve."""

from pathlib import Path

from pydantic import BaseModel, Field

from services.speed_ramp.analysis.motion_analysis import analyze_motion
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint, to_points
from services.speed_ramp.curve.segments import segment_speeds
from services.speed_ramp.motion.motion_curve import Motion
from services.speed_ramp.motion.motion_store import MOTION
from services.speed_ramp.params import SPEED_SHAPES, MotionParams
from shared.declarations.figure import figure
from shared.operation import Kind, Operation, Progress, Silent
from shared.video import probe_video


class AnalyzeParams(MotionParams):
    """Params for converting motion to a speed curve."""


class AnalyzeResult(BaseModel):
    """Motion of a clip and the speed curve derived from it."""

    motion: Motion = Field(description="Motion between neighbouring frames; averaged in groups if there are more than 100,000 values.")
    curve: list[CurvePoint] = Field(description="Control points of the curve over the used part of the clip, in seconds of source.")
    speeds: list[float] = Field(description="Mean speed of each segment: its length in the source divided by its length in the output.")
    segment_duration: float = Field(description="Length of a segment in seconds of source; the last segment may be shorter.")
    duration_s: float = Field(description="Length of the used part, in seconds of source.", json_schema_extra=figure("clip_length"))
    ramped_duration_s: float = Field(
        description="Length of the video along the curve, in seconds of output: the integral of 1/speed.",
        json_schema_extra=figure("result_length"),
    )
    frames: int = Field(description="Number of frames that were compared.", json_schema_extra=figure("frame_count"))
    beats: list[float] = Field(description="Times of the beats in seconds of source, if `snap_to` is `beats`.")
    cuts: list[float] = Field(description="Times of cuts in seconds of source. Cuts do not count as motion.")


def analyze(params: MotionParams, *, video: Path, progress: Progress = Silent(), motion: Path | None = None) -> AnalyzeResult:
    """Measure the motion of `video` and derive a speed curve.

    `motion`: file of an earlier measurement of the same part, see `MOTION`; if it does not exist, it is written.
    Reads the luma of every frame once, or of `sample_rate` pairs per second. Memory holds only a few numbers per pair. Raises
    UnsupportedMedia for a file that is not a video, BrokenMedia for a damaged one, Invalid for an empty part or too many segments.
    """
    info = probe_video(video)
    for warning in info.warnings:
        progress.warn(warning)
    analysis = analyze_motion(params, video, info, progress, file=motion)
    clock = Clock(analysis.points, start=params.start)
    return AnalyzeResult(
        motion=analysis.motion,
        curve=to_points(analysis.points),
        speeds=segment_speeds(analysis.points, params.segment_duration, analysis.duration_s, start=params.start),
        segment_duration=params.segment_duration,
        duration_s=analysis.duration_s,
        ramped_duration_s=float(clock.left(params.start + analysis.duration_s)),
        frames=analysis.frames,
        beats=analysis.beats,
        cuts=analysis.cuts,
    )


ANALYZE = Operation(
    name="speed-ramp.analyze",
    bytes_per_pixel=lambda _params: 14,
    title="Motion and curve",
    presets=SPEED_SHAPES,
    summary="Measure a video's motion and make a speed curve from it",
    params=AnalyzeParams,
    result=AnalyzeResult,
    inputs={"video": Kind.VIDEO},
    measurement=MOTION,
    run=analyze,
    role="motion_analysis",
    version=6,
    example=AnalyzeParams(min_speed=0.5, max_speed=2.0),
)
