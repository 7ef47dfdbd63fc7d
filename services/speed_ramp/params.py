"""Params shared by several operations: motion analysis and curve."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from services.speed_ramp.curve.from_motion import MODES
from services.speed_ramp.curve.points import MAX_POINTS, MAX_SPEED, MIN_SPEED, CurvePoint
from services.speed_ramp.handover.rates import FRAME_RATE, SOURCE
from services.speed_ramp.motion.trace import MEASURES
from services.speed_ramp.picture.interpolation import DUPLICATES, INTERPOLATIONS
from services.speed_ramp.sound.modes import AUDIO_MODES
from shared.choices import OneOf, described
from shared.http.long_list import LongList
from shared.operation import Params, Preset, cell, form

Speed = Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED, title="Speed", json_schema_extra=cell(unit="x"))]
Time = Annotated[float, Field(ge=0, le=1e6, title="Time", json_schema_extra=cell(unit="s", widget="time"))]
Times = Annotated[list[Time], LongList(MAX_POINTS)]


class MotionParams(Params):
    """Params for converting a clip's motion to a speed curve."""

    segment_duration: float = Field(
        0.5,
        ge=0.1,
        le=60,
        description="Length of a segment in seconds of source. An analysed curve has one control point per segment, `speeds` one speed per "
        "segment.",
        title="Segment length",
        json_schema_extra=form("expert", unit="s"),
    )
    min_speed: float = Field(
        0.5,
        ge=MIN_SPEED,
        le=MAX_SPEED,
        description="Slowest playback speed of an analysed curve.",
        title="Slowest",
        json_schema_extra=form("basics", unit="x"),
    )
    max_speed: float = Field(
        2.0,
        ge=MIN_SPEED,
        le=MAX_SPEED,
        description="Fastest playback speed of an analysed curve.",
        title="Fastest",
        json_schema_extra=form("basics", unit="x"),
    )
    smoothing: float = Field(
        0.5,
        ge=0,
        le=10,
        description="Seconds over which speed changes are smoothed. Higher values change the speed more gently; 0 is off.",
        title="Smoothing",
        json_schema_extra=form("more", unit="s"),
    )
    mode: Annotated[str, OneOf(MODES)] = Field(
        "slow_action",
        description=f"Which parts play slow: {described(MODES.values())}.",
        title="Slow down",
        json_schema_extra=form("basics", labels={row.name: row.label for row in MODES.values()}),
    )

    measure: Annotated[str, OneOf(MEASURES)] = Field(
        "total",
        description=f"Which motion counts: {described(MEASURES.values())}. Camera shake is ignored.",
        title="Motion of",
        json_schema_extra=form("more", labels={row.name: row.label for row in MEASURES.values()}),
    )
    start: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="Start of the part to use, in seconds of source. Times in curves still count from the source's start.",
        title="Start",
        json_schema_extra=form("more", unit="s", widget="time", role="part_start"),
    )
    duration: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Length of the part to use, in seconds of source. Empty: to the end.",
        title="Length",
        json_schema_extra=form("more", unit="s", role="part_length"),
    )
    target_duration: float | None = Field(
        None,
        gt=0,
        le=1e7,
        description="Target length of the result in seconds. All speeds are scaled to reach it; speeds of an analysed curve stay between "
        f"`min_speed` and `max_speed`, those of a given curve between {MIN_SPEED:g} and {MAX_SPEED:g}. Empty: no scaling.",
        title="Target length",
        json_schema_extra=form("basics", unit="s", role="target_length", share_of_part=True),
    )
    max_acceleration: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="Maximum change of speed, in doublings or halvings per second of output. Slow parts keep their speed; the curve around "
        "them changes more gently. Empty: no limit.",
        title="Gentleness",
        json_schema_extra=form("expert"),
    )
    snap_to: Times | Literal["beats"] | None = Field(
        None,
        description="Times, in seconds of source, to which the curve's points snap. Each point moves to the nearest time; points at the "
        "same time are merged. `beats`: the beats of the first audio track. Cannot be combined with `speeds`. Empty: points stay.",
        title="Snap to",
        json_schema_extra=form("more", labels={"beats": "Beats of the sound"}, role="snap_times", taken_from=("media.reel.moments",)),
    )
    sample_rate: float | None = Field(
        None,
        ge=0.01,
        le=15,
        description="Number of frame pairs per second in which motion is measured. Low values make long clips much faster to analyse. "
        "Empty: every frame.",
        title="Measurements",
        json_schema_extra=form("expert", unit="fps"),
    )

    @property
    def uses_motion(self) -> bool:
        """Whether the curve is derived from the clip's motion."""
        return True

    @model_validator(mode="after")
    def _check_speed_order(self) -> Self:
        if self.min_speed > self.max_speed:
            raise ValueError(f"min_speed {self.min_speed:g} is above max_speed {self.max_speed:g}: swap them")
        return self


CINEMATIC = Preset(
    name="cinematic",
    title="Cinematic slow motion",
    sentence="Slows down for the action.",
    params=MotionParams(min_speed=0.25, max_speed=1.5, smoothing=1.0),
)
MONTAGE = Preset(
    name="montage",
    title="Montage",
    sentence="Hurries through still parts and plays the action as it is.",
    params=MotionParams(min_speed=1.0, max_speed=4.0, smoothing=0.3),
)
BULLET = Preset(
    name="bullet",
    title="Bullet time",
    sentence="Nearly stops where most happens.",
    params=MotionParams(min_speed=0.1, max_speed=1.0, smoothing=0.5),
)
BEAT = Preset(
    name="beat",
    title="On the beat",
    sentence="Changes speed on the beats of the sound.",
    params=MotionParams(min_speed=0.5, max_speed=2.5, snap_to="beats"),
)
SPEED_SHAPES = (CINEMATIC, MONTAGE, BULLET, BEAT)
"""Presets for curves made from measured motion, offered by several operations."""


class CurveParams(MotionParams):
    """Params of the speed curve.

    The curve is `curve`, or made from `speeds`, or derived from motion.
    """

    curve: Annotated[list[CurvePoint], LongList(MAX_POINTS)] | None = Field(
        None,
        description="Speed curve as control points with rising `t`. The first and last speeds extend to the ends of the clip. "
        "Empty: the curve is made from `speeds` or from the clip's motion.",
        title="Curve",
        json_schema_extra=form("basics", widget="curve"),
    )
    frame_rate: Annotated[str, BeforeValidator(FRAME_RATE), Field(pattern=FRAME_RATE.pattern)] = Field(
        SOURCE,
        description="Frames per second of the result, such as 24 or 30000/1001, from 1 to 120; `source` keeps the rate of the source. At "
        "24 or 30, slow parts of a clip with 120 or 240 frames per second need few in-between frames or none. In exported timelines, "
        "`source` becomes a rate that editing programs support.",
        title="Frame rate",
        json_schema_extra=form("more", unit="fps", labels={"source": "As the clip"}, role="output_rate"),
    )
    speeds: Annotated[list[Speed], LongList(MAX_POINTS)] | None = Field(
        None,
        description=f"One speed ({MIN_SPEED:g} to {MAX_SPEED:g}) for each segment of `segment_duration` seconds, from `start` on. Cannot "
        "be combined with `curve`. The last speed extends to the end.",
        title="Speeds",
        json_schema_extra=form("expert", one_per="segment_duration"),
    )

    @property
    def uses_motion(self) -> bool:
        return self.curve is None and self.speeds is None

    @model_validator(mode="after")
    def _check_curve(self) -> Self:
        if self.curve is not None and self.speeds is not None:
            raise ValueError("give curve or speeds, not both; without either, the clip is analysed")
        if self.speeds is not None and self.snap_to is not None:
            raise ValueError("snap_to cannot be combined with speeds: use it with curve, or let the clip be analysed")
        for number, (before, after) in enumerate(pairwise(self.curve or []), 2):
            if after.t <= before.t:
                raise ValueError(f"curve: t must increase from point to point, but point {number} at {after.t:g} follows {before.t:g}")
        return self


class TimingParams(CurveParams):
    """Params of the curve, in-between frames, repeated frames and sound."""

    interpolation: Annotated[str, OneOf(INTERPOLATIONS)] = Field(
        "nearest",
        description=f"How to show moments between two source frames: {described(INTERPOLATIONS.values())}.",
        title="In-between frames",
        json_schema_extra=form("more", labels={row.name: row.label for row in INTERPOLATIONS.values()}),
    )
    duplicates: Annotated[str, OneOf(DUPLICATES)] = Field(
        "auto",
        description="Repeated source frames, as in film at 24 frames per second in a file of 30, or in animation on twos: "
        f"{described(DUPLICATES.values())}. A picture that is shown for more than 0.2 s does not count as a repeat.",
        title="Repeated frames",
        json_schema_extra=form("expert", labels={row.name: row.label for row in DUPLICATES.values()}),
    )
    audio: Annotated[str, OneOf(AUDIO_MODES)] = Field(
        "keep",
        description=f"How the sound follows the curve: {described(AUDIO_MODES.values())}.",
        title="Sound",
        json_schema_extra=form("more", labels={row.name: row.label for row in AUDIO_MODES.values()}),
    )

    @property
    def drops_repeats(self) -> bool:
        """Whether repeated source frames are left out."""
        return DUPLICATES[self.duplicates].dropped(INTERPOLATIONS[self.interpolation])
