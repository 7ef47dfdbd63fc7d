"""speed-ramp.plan: compute what `speed-ramp.render` would write, without writing it."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from services.speed_ramp.analysis.choice import choose_curve
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint, to_points
from services.speed_ramp.curve.trim import trimmed
from services.speed_ramp.handover.rates import output_rate
from services.speed_ramp.motion.motion_store import MOTION
from services.speed_ramp.params import TimingParams
from services.speed_ramp.picture.cadence import evenly
from services.speed_ramp.picture.repeats import HeldFrame, Repeats
from services.speed_ramp.sound.modes import AUDIO_MODES
from shared.operation import Kind, Operation, Progress, Silent
from shared.video import probe_video, read_frames


class PlanParams(TimingParams):
    """Params of `speed-ramp.render` that decide which source frame each output frame shows."""


class KeptFrame(BaseModel):
    """A source frame that remains after repeated frames are left out."""

    time_s: float = Field(description="Time of the frame in seconds of source.")
    moment_s: float = Field(description="Time in seconds of source at which the frame is shown, so that the pace is even.")


class PlanResult(BaseModel):
    """Curve, frame rate and source frames of a ramped video."""

    curve: list[CurvePoint] = Field(description="Control points of the curve over the used part of the clip, in seconds of source.")
    start_s: float = Field(description="Start of the used part, in seconds of source.")
    end_s: float = Field(description="End of the used part, in seconds of source.")
    duration_s: float = Field(description="Length of the output in seconds: the integral of 1/speed.")
    frame_rate: str = Field(description='Frames per second of the output as an exact fraction, such as "30000/1001".')
    has_sound: bool = Field(description="Whether the output has sound.")
    keeps_pitch: bool = Field(description="Whether the sound keeps its pitch where the speed changes.")
    kept: list[KeptFrame] | None = Field(description="Source frames without repeats. null: every frame of the part, at its own time.")


def plan(params: PlanParams, *, video: Path, progress: Progress = Silent(), motion: Path | None = None) -> PlanResult:
    """Compute the curve, frame rate and source frames with which `render` retimes `video`.

    `motion`: see `analyze`. The video is read only to analyse it, to find beats, or to find repeated frames. Raises the errors of
    `analyze`.
    """
    info = probe_video(video)
    for warning in info.warnings:
        progress.warn(warning)
    drops = params.drops_repeats
    choice = choose_curve(params, video, info, progress.part("analysing", 0, 0.5 if drops else 1), motion=motion)
    frames = list(_kept(params, video, progress.part("finding repeats", 0.5, 1), info.frames)) if drops else None
    progress(1, 1)
    rate = output_rate(params.frame_rate, info)
    return PlanResult(
        curve=to_points(trimmed(choice.points, choice.end, start=params.start)),
        start_s=params.start,
        end_s=choice.end,
        duration_s=float(Clock(choice.points, start=params.start).left(choice.end)),
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        has_sound=bool(info.audio) and AUDIO_MODES[params.audio].make is not None,
        keeps_pitch=AUDIO_MODES[params.audio].keeps_pitch,
        kept=frames,
    )


def _kept(params: PlanParams, video: Path, progress: Progress, expected: int) -> Iterator[KeptFrame]:
    """Yield the frames of a part that do not repeat the previous frame."""
    times = list[float]()

    def noted(frames_held: Iterator[HeldFrame]) -> Iterator[HeldFrame]:
        for held in frames_held:
            times.append(float(held.frame.time))
            progress(min(held.frame.index, expected), expected)
            yield held

    with read_frames(video, opaque=True, start=params.start or None, duration=params.duration, to_sdr8=True) as frames:
        moments = [float(frame.time) for frame in evenly(noted(Repeats().without(frames)))]
    for time, moment in zip(times, moments, strict=True):
        yield KeptFrame(time_s=round(time, 6), moment_s=round(moment, 6))


PLAN = Operation(
    name="speed-ramp.plan",
    bytes_per_pixel=lambda _params: 14,
    title="Ramp plan",
    summary="Compute the curve and frames of a ramped video without writing it",
    params=PlanParams,
    result=PlanResult,
    inputs={"video": Kind.VIDEO},
    measurement=MOTION,
    run=plan,
    role="ramp_plan",
    is_tool=False,
    example=PlanParams(min_speed=0.5, max_speed=2.0),
    version=4,
)
