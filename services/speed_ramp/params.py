"""What the two operations take and what they answer. Every unit, limit and default stands here and nowhere else."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from shared.http.long_list import LongList
from shared.operation import Params

MIN_SPEED, MAX_SPEED = 0.1, 16.0
"""The slowest and the fastest speed that any curve may have."""

MAX_POINTS = 100_000
"""Most control points of a curve and most speeds of a list: what a six-hour clip needs, several times over."""

Speed = Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED)]
Times = Annotated[list[Annotated[float, Field(ge=0, le=1e6)]], LongList(MAX_POINTS)]


class CurvePoint(Params):
    """One control point of a speed curve."""

    t: float = Field(ge=0, le=1e6, description="Seconds from the start of the source.")
    speed: float = Field(ge=MIN_SPEED, le=MAX_SPEED, description="Playback speed there: 1 is unchanged, 0.5 is half as fast.")
    easing: Literal["linear", "smooth", "hold"] = Field(
        "linear",
        description="How the speed goes on to the next point: evenly, in an S that leaves and arrives level, or not until it is there.",
    )
    freeze: float = Field(0.0, ge=0, le=3600, description="Seconds for which the picture at `t` then stands still, in silence.")


class AnalyzeParams(Params):
    """How motion becomes speed."""

    segment_duration: float = Field(
        0.5, ge=0.1, le=60, description="Seconds of source between two control points of the curve, and length of a segment in `speeds`."
    )
    min_speed: float = Field(0.5, ge=MIN_SPEED, le=MAX_SPEED, description="Slowest playback speed the curve may have.")
    max_speed: float = Field(2.0, ge=MIN_SPEED, le=MAX_SPEED, description="Fastest playback speed the curve may have.")
    smoothing: float = Field(
        0.5,
        ge=0,
        le=10,
        description="Seconds over which motion is averaged before it decides the speed: more gives calmer changes, 0 none.",
    )
    mode: Literal["slow_action", "speed_action"] = Field(
        "slow_action", description="`slow_action` slows action down and speeds stillness up; `speed_action` does the opposite."
    )

    measure: Literal["total", "subject", "camera"] = Field(
        "total",
        description="Whose motion decides: `subject` what moves in the scene, `camera` pans, zooms and turns, `total` both. A hand's shake "
        "is none.",
    )
    start: float = Field(0.0, ge=0, le=1e6, description="Seconds of the source to begin at. Curves keep the source's own seconds.")
    duration: float | None = Field(None, gt=0, le=1e6, description="Seconds of the source to use from `start` on. Empty: all.")
    target_duration: float | None = Field(
        None,
        gt=0,
        le=1e7,
        description="Seconds that the result shall take: all speeds are multiplied by the factor that does it. They stay between "
        "`min_speed` and `max_speed`, those of a given curve between 0.1 and 16. Empty: whatever the curve takes.",
    )
    max_acceleration: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="Doublings or halvings of the speed a second of output at most; slow parts stay and are entered and left gently. "
        "Empty: no limit.",
    )
    snap_to: Times | Literal["beats"] | None = Field(
        None,
        description="Seconds of the source, or `beats` for those of the first audio track, also where their tempo changes: each point of "
        "the curve moves to the nearest; those that meet become one. Not for `speeds`, which have their times.",
    )
    sample_rate: float | None = Field(
        None,
        ge=0.01,
        le=15,
        description="Pairs of frames a second that motion is measured between, for long clips: few are jumped to. Empty: every frame.",
    )

    @model_validator(mode="after")
    def _speeds_in_order(self) -> Self:
        if self.min_speed > self.max_speed:
            raise ValueError(f"min_speed {self.min_speed:g} is above max_speed {self.max_speed:g}: swap them")
        return self


class CurveParams(AnalyzeParams):
    """Which curve the clip follows."""

    curve: Annotated[list[CurvePoint], LongList(MAX_POINTS)] | None = Field(
        None,
        description="Speed curve in source seconds, `t` rising; the first and the last speed are held to the ends. Empty: analysed.",
    )
    speeds: Annotated[list[Speed], LongList(MAX_POINTS)] | None = Field(
        None,
        description="One speed (0.1 to 16) per `segment_duration` from `start` on, instead of `curve`; the last is held to the end.",
    )

    @model_validator(mode="after")
    def _one_curve(self) -> Self:
        if self.curve is not None and self.speeds is not None:
            raise ValueError("curve and speeds exclude each other: give one of them, or neither to have the clip analysed")
        if self.speeds is not None and self.snap_to is not None:
            raise ValueError("speeds have times of their own: snap_to goes with curve, or with neither")
        for before, after in pairwise(self.curve or []):
            if after.t <= before.t:
                raise ValueError(f"curve: t must rise from point to point, but {after.t:g} follows {before.t:g}")
        return self


class RenderParams(CurveParams):
    """Which curve the clip follows, and how the frames and the sound are made."""

    interpolation: Literal["nearest", "blend", "flow"] = Field(
        "nearest",
        description="`nearest` shows whole source frames (sharp); `blend` cross-fades neighbours (softer slow motion); `flow` makes the "
        "pictures between them along the motion (smooth slow motion, slow to make).",
    )
    shutter: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Motion blur where the clip plays faster than it was taken: the part of an output frame's time over which the source "
        "is averaged. 0 is none, 0.5 what film has, 1 the most.",
    )
    audio: Literal["keep", "follow", "drop"] = Field(
        "keep",
        description="`keep` stretches every audio track along the curve at its original pitch; `follow` lets the pitch follow the speed, "
        "as a tape does; `drop` leaves the sound out.",
    )
    chapters: bool = Field(True, description="Write chapters into the output: one for each slow part, and for what lies between.")
    quality: int = Field(70, ge=0, le=100, description="Picture quality of the output, 0 (smallest file) to 100 (best).")


class ExportParams(CurveParams):
    """Which curve is handed over, and what the clip is called where it goes."""

    media_url: str = Field(
        "",
        max_length=2000,
        description="Where the editing program finds the clip, such as `file:///Volumes/Cut/clip.mov`. Empty: the file's name, beside.",
    )


class Motion(BaseModel):
    """How much moves, over time."""

    times: list[float] = Field(description="Seconds of source time at which each value was reached: the time of its frame.")
    values: list[float] = Field(description="Motion since the frame before, in frame diagonals per second.")


class AnalyzeResult(BaseModel):
    """The motion of a clip and the speed curve made from it."""

    motion: Motion = Field(description="Motion per pair of frames; where there are more than 100,000, groups are averaged.")
    curve: list[CurvePoint] = Field(description="Control points from the start to the end of what was measured, in source seconds.")
    speeds: list[float] = Field(description="Mean speed of each segment (harmonic: its length divided by the time it then takes).")
    segment_duration: float = Field(description="Seconds of source that one entry of `speeds` covers (the last one may cover less).")
    duration_s: float = Field(description="Seconds of the source that were used.")
    ramped_duration_s: float = Field(description="Seconds that the video takes along the curve: the integral of 1/speed.")
    frames: int = Field(description="Frames looked at.")
    beats: list[float] = Field(description="Seconds of source time of the beats, where `snap_to` asks for them.")
    cuts: list[float] = Field(description="Seconds of source time at which the picture changes altogether; not counted as motion.")


class SlowPart(BaseModel):
    """A stretch of the output in which the clip plays slower than it was taken."""

    start_s: float = Field(description="Seconds of output at which it begins.")
    end_s: float = Field(description="Seconds of output at which it ends.")
    speed: float = Field(description="Slowest speed in it; 0 for a freeze.")


class RenderResult(BaseModel):
    """What was written."""

    curve: list[CurvePoint] = Field(
        description="The curve that was followed, from the start to the end of what was used, in source seconds."
    )
    duration_s: float = Field(description="Seconds of video in the output: the curve's integral to the nearest frame.")
    source_duration_s: float = Field(description="Seconds of the source that were used.")
    frames: int = Field(description="Frames in the output.")
    frame_rate: str = Field(description='Frames per second of the output as an exact fraction, such as "30000/1001".')
    audio_tracks: int = Field(description="Audio tracks in the output.")
    slow_parts: list[SlowPart] = Field(description="Slow parts of the output; of more than 100 the longest.")
    encoder: str = Field(description='Video encoder used; "copy" where every speed is 1 and the source was left as it is.')


class ExportResult(BaseModel):
    """What was handed over."""

    curve: list[CurvePoint] = Field(description="The curve, from the start to the end of what is used, in source seconds.")
    duration_s: float = Field(description="Seconds of the source that are used.")
    ramped_duration_s: float = Field(description="Seconds that they take along the curve.")
    frame_rate: str = Field(description='Frames per second of the timelines as an exact fraction, such as "30000/1001".')
    files: list[str] = Field(description="Names of the files in the archive.")
    slow_parts: list[SlowPart] = Field(description="Slow parts, which the timelines have markers for.")
