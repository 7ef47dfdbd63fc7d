"""effects.motion-trails: ghost images that follow moving subjects."""

from collections.abc import Callable, Generator
from contextlib import closing
from itertools import chain
from math import prod
from pathlib import Path
from typing import Literal, Self, TypeVar

import av
from pydantic import Field, model_validator

from services.effects.params import EffectResult, SubjectParams, warn_if_unsure
from services.effects.scene.concurrency import worker_count
from services.effects.scene.memory_budget import check_memory_budget, needed_bytes, stored_bytes
from services.effects.scene.moments import Moment, SceneFrame
from services.effects.scene.neighbours import look_frames
from services.effects.scene.pixels import Pixels, pixels_for
from services.effects.scene.readers import read_matted, read_moving, read_scene
from services.effects.scene.small_planes import small_size
from services.effects.scene.tracker import SceneTracker
from services.effects.trails.compositors import Compositor, MaskedCompositor, SoftCompositor, WholeCompositor
from services.effects.trails.ghost_styles import GHOST_STYLES, GhostName
from services.effects.trails.tint import Tint
from services.effects.trails.trail import Direction, Trail, TrailExtent, trails
from services.effects.trails.weighted_mean import mixing_bytes
from shared.declarations.cards import LookCard
from shared.memory_need import FrameSize
from shared.operation import Input, Kind, Operation, Preset, Progress, Silent, form
from shared.video import Frame, map_ordered, opencv_on_one_thread
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import DEFAULT_RATE, Times, frame_size, matte_warnings, probe_clip, rate_of, write_again

MAX_REACH_FRAMES, MAX_REACH_S = 1200, 60.0
"""Longest trail, from the frame to its last ghost, in frames and in seconds."""

F = TypeVar("F", bound=SceneFrame)
G = TypeVar("G", bound=Moment)


class MotionTrailsParams(ClipPart, SubjectParams):
    """Params of the trails' length and appearance."""

    layers: int = Field(
        6,
        ge=1,
        le=20,
        description="Number of ghosts in a trail. With `direction: both`, on each side of the subject.",
        title="Ghosts",
        json_schema_extra=form("basics"),
    )
    decay: float = Field(
        0.7,
        ge=0.05,
        le=0.98,
        description="Strength of each ghost relative to the one nearer to the subject. With lower values, trails fade out sooner.",
        title="Fade",
        json_schema_extra=form("basics"),
    )
    spacing: float = Field(
        5.0, gt=0, le=240, description="Distance between two ghosts, in `spacing_unit`.", title="Spacing", json_schema_extra=form("basics")
    )
    spacing_unit: Literal["frames", "seconds"] = Field(
        "frames",
        description="Unit of `spacing`. With `seconds`, trails look the same at every frame rate.",
        title="Spacing in",
        json_schema_extra=form("more", labels={"frames": "Frames", "seconds": "Seconds"}),
    )
    ghost: GhostName = Field(
        "normal",
        description="Style of the ghosts. " + "; ".join(f"`{style.name}`: {style.description}" for style in GHOST_STYLES.values()) + ".",
        title="Style",
        json_schema_extra=form("basics", labels={row.name: row.label for row in GHOST_STYLES.values()}),
    )
    direction: Direction = Field(
        "behind",
        description="Side of the subject that ghosts are on: `behind` (its past), `ahead` (its future) or `both`.",
        title="Side",
        json_schema_extra=form("more", labels={"behind": "Behind", "ahead": "Ahead", "both": "Both"}),
    )
    mask: bool = Field(
        True,
        description="Show ghosts only of subjects that move and are in focus, behind the sharp subject. `false`: `ghost: normal` averages "
        "whole pictures, and the other styles show ghosts of everything that moves. No effect if a matte is given.",
        title="Only what moves",
        json_schema_extra=form("more"),
    )
    focus_block: int = Field(
        31,
        ge=3,
        le=101,
        description="Side of the square in which `mask` measures sharpness, in pixels of a picture 540 pixels high. Must be odd.",
        title="Focus window",
        json_schema_extra=form("expert", unit="px"),
    )
    tint: str | None = Field(
        None,
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Colour of the ghosts, such as `#40c0ff`. Empty: their own colours.",
        title="Tint",
        json_schema_extra=form("basics", widget="colour"),
    )
    tint_strength: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Strength of the tint, from 0 (none) to 1 (full).",
        title="Tint strength",
        json_schema_extra=form("more"),
    )
    blur: float = Field(
        0.0,
        ge=0,
        le=20,
        description="Blur of the first ghost, in thousandths of the picture's diagonal. Ghost number n is blurred n times as much.",
        title="Blur",
        json_schema_extra=form("more"),
    )
    linear_light: bool = Field(
        False,
        description="Mix linear light, as a camera does, instead of signal values: brighter glow, clear highlights. Several times slower.",
        title="Linear light",
        json_schema_extra=form("expert"),
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.focus_block % 2 == 0:
            raise ValueError(f"focus_block {self.focus_block} is even: choose {self.focus_block - 1} or {self.focus_block + 1}")
        limit = MAX_REACH_FRAMES if self.spacing_unit == "frames" else MAX_REACH_S
        if self.layers * self.spacing > limit:
            raise ValueError(
                f"layers x spacing is {self.layers * self.spacing:g} {self.spacing_unit}; at most {limit:g} are allowed: "
                "lower layers or spacing"
            )
        return self

    @property
    def reach(self) -> TrailExtent:
        """Number, spacing and direction of a trail's ghosts."""
        return TrailExtent(layers=self.layers, spacing=self.spacing, seconds=self.spacing_unit == "seconds", direction=self.direction)

    @property
    def soft(self) -> bool:
        """Whether ghosts are computed at reduced size."""
        return self.ghost != "normal" or self.blur > 0

    def confined(self, *, matte: bool) -> bool:
        """Return whether ghosts show only the subject.

        False only for the weighted mean of whole pictures. `matte`: whether a matte is given.
        """
        return matte or self.mask or self.ghost != "normal" or self.tint is not None or self.blur > 0


class MotionTrailsResult(EffectResult):
    """Summary of a video with motion trails."""


def motion_trails(
    params: MotionTrailsParams, *, video: Path, matte: Path | None, output: Path, progress: Progress = Silent()
) -> MotionTrailsResult:
    """Add ghost images of moving subjects to `video`.

    The camera's motion is measured and compensated, so that only subjects leave a trail. `normal` is the weighted mean of the frame
    (weight 1) and its ghosts (decay^i), each in the view of the current frame; `trails/ghost_styles.py` states the arithmetic of `glow`
    and `shadow`. The trail grows out of the first frame of each shot.

    `matte`: a gray video, white where the subject is; it replaces the motion mask. Times, sound and colour tags are kept; the output has 8
    bits per sample. Reads the video once and holds the frames of one trail, see `scene/memory_budget.py`. Raises UnsupportedMedia and
    BrokenMedia for the inputs, Invalid for an empty part and for trails that need too much memory. On failure nothing is left at `output`.
    """
    info = probe_clip(video, params)
    refuse_size(params, frame_size(info), matte=matte is not None)
    for warning in matte_warnings(matte, params, info=info) if matte else ():
        progress.warn(warning)
    tracker = SceneTracker(info.width, info.height, model=params.camera_model, full_size=not params.soft)
    with opencv_on_one_thread(), closing(_pictures(params, tracker, video, matte, float(rate_of(info)))) as pictures:
        summary = write_again(pictures, params, video=video, info=info, output=output, progress=progress, background=params.background)
    warn_if_unsure(tracker, summary, progress)
    return MotionTrailsResult.of(summary, tracker, info)


def _pictures(
    params: MotionTrailsParams, tracker: SceneTracker, video: Path, matte: Path | None, rate: float
) -> Generator[tuple[Times, av.VideoFrame], None, None]:
    """Yield the times of each source frame, and its picture with trails."""

    def whole(pixels: Pixels) -> WholeCompositor:
        return WholeCompositor(pixels, tracker.size, decay=params.decay, reach=params.reach)

    def masked(pixels: Pixels) -> MaskedCompositor:
        return MaskedCompositor(pixels, tracker.size, decay=params.decay, tint=_tint(params, pixels))

    def soft(pixels: Pixels) -> SoftCompositor:
        style = GHOST_STYLES[params.ghost]
        return SoftCompositor(pixels, tracker.size, style=style, decay=params.decay, blur=params.blur, tint=_tint(params, pixels))

    if not params.confined(matte=matte is not None):
        return _composed(read_scene(tracker, video, params, background=params.background), whole, params, rate)
    if matte is not None:
        frames = read_matted(tracker, video, matte, params, background=params.background, full_size=not params.soft)
    else:
        block = params.focus_block if params.mask else None
        frames = read_moving(
            tracker,
            video,
            params,
            background=params.background,
            rate=rate,
            threshold=params.motion_threshold,
            focus_block=block,
        )
    return _composed(frames, soft, params, rate) if params.soft else _composed(frames, masked, params, rate)


def _composed(
    frames: Generator[F, None, None], compositor_for: Callable[[Pixels], Compositor[F, G]], params: MotionTrailsParams, rate: float
) -> Generator[tuple[Times, av.VideoFrame], None, None]:
    """Yield the times and picture of each frame with its trail, composed in parallel."""
    with closing(frames):
        first = next(frames, None)
        if first is None:
            return
        compositor = compositor_for(pixels_for(first.frame, linear_light=params.linear_light))
        all_frames = chain([first], frames)
        # Only linear light takes longer to prepare than handing a frame to a thread.
        threads = params.linear_light
        prepared = (
            map_ordered(compositor.prepare, all_frames, workers=worker_count(), ahead=2) if threads else map(compositor.prepare, all_frames)
        )
        max_held = params.reach.frames(rate * 1.5) + 2

        def composed(trail: Trail[Frame, G]) -> tuple[Times, av.VideoFrame]:
            return Times.of(trail.picture), compositor.compose(trail)

        yield from map_ordered(composed, trails(prepared, params.reach, max_held=max_held), workers=worker_count(), ahead=2)


def _tint(params: MotionTrailsParams, pixels: Pixels) -> Tint | None:
    return Tint(params.tint, params.tint_strength, pixels) if params.tint else None


def refuse_size(params: MotionTrailsParams, size: FrameSize, *, matte: bool) -> None:
    """Raise Invalid if a clip's trails need too much memory."""
    needed = held_bytes(params, size, matte=matte)
    check_memory_budget(needed, "layers or spacing, or scale the clip down", errors=("layers", "spacing"))


def held_bytes(params: MotionTrailsParams, size: FrameSize, *, matte: bool) -> int:
    """Estimate the memory that a clip's trails need, in bytes.

    Independent of the clip's length; see `scene/memory_budget.py`. `matte`: whether a matte is given.
    """
    rate, reach, confined = float(size.frame_rate or DEFAULT_RATE), params.reach, params.confined(matte=matte)
    ahead = 0 if params.direction == "behind" else int(reach.length * (rate if reach.seconds else 1)) + 1
    look = 2 * look_frames(rate) if confined and not matte else 0
    stored = stored_bytes(size.pixel_format)
    pixels, small = size.width * size.height, prod(small_size(size.width, size.height))
    ghosts = reach.layers * reach.sides
    small_bytes, mixing = 0.0, 0.0
    if params.soft:
        # Mixing a frame needs the moved ghosts, a dozen float32 planes, and two planes of full size.
        small_bytes = 13 if params.linear_light else 9
        mixing = (90 + ghosts * small_bytes) * small + 2 * pixels * (2 if params.linear_light else 1)
    elif confined or params.camera_model in ("similarity", "homography"):
        # Masks from a matte have half the clip's width and height. Motion masks have the size of small planes, which are held as well.
        masks = pixels / 4 if matte else small
        small_bytes = (2 * masks / small if matte else 5) if confined else 0
        samples, width = (3 * pixels, 2) if params.linear_light else (stored * pixels, 1)
        # The second term holds the weights and the shares of all ghosts.
        mixing = mixing_bytes(samples, width) + (ghosts + 3) * 5 * masks
    return needed_bytes(
        size.width,
        size.height,
        held=reach.frames(rate),
        waiting=look + (ahead if params.soft else 0),
        bytes_per_pixel=(6.0 + stored) if params.linear_light else stored,
        full_size=not params.soft,
        small_bytes=small_bytes,
        mixing=mixing,
    )


MOTION_TRAILS = Operation(
    name="effects.motion-trails",
    bytes_per_pixel=lambda _params: 180,
    process_bytes=140 * 1000**2,
    refuse_sizes=lambda params, sizes: refuse_size(params, sizes["video"], matte="matte" in sizes),
    title="Motion trails",
    presets=(
        Preset(
            name="echo",
            title="Echo",
            sentence="Fading copies follow what moves.",
            params=MotionTrailsParams(layers=8, spacing=0.12, spacing_unit="seconds", decay=0.75),
        ),
        Preset(
            name="neon",
            title="Neon",
            sentence="Glowing blue ghosts.",
            params=MotionTrailsParams(ghost="glow", layers=8, spacing=0.1, spacing_unit="seconds", decay=0.8, tint="#40c0ff"),
        ),
        Preset(
            name="shadow",
            title="Shadows",
            sentence="Dark silhouettes stay behind.",
            params=MotionTrailsParams(ghost="shadow", layers=6, spacing=0.16, spacing_unit="seconds"),
        ),
        Preset(
            name="light",
            title="Light trails",
            sentence="One long trail of light.",
            params=MotionTrailsParams(ghost="glow", layers=20, spacing=0.04, spacing_unit="seconds", decay=0.92),
        ),
    ),
    summary="Leave ghosts behind moving subjects, in a scene that stays sharp",
    params=MotionTrailsParams,
    result=MotionTrailsResult,
    inputs={
        "video": Kind.VIDEO,
        "matte": Input(
            kind=Kind.VIDEO,
            optional=True,
            title="Matte",
            description="Gray video in which the subject is white. It replaces the motion mask.",
        ),
    },
    outputs={"video": Kind.VIDEO},
    run=motion_trails,
    look=LookCard(place=2, title="Motion trails", icon="trails"),
    version=10,
    example=MotionTrailsParams(layers=5, spacing=4, ghost="glow"),
)
