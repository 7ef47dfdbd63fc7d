"""effects.strobe: stamp a moving subject at intervals, as in sequence photography.

A stamp is a cut-out of the subject, which is drawn on later frames of its shot.
"""

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Annotated

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from services.effects.params import EffectResult, SubjectParams, warn_if_unsure
from services.effects.scene.concurrency import worker_count
from services.effects.scene.memory_budget import check_memory_budget, needed_bytes, stored_bytes
from services.effects.scene.moments import MaskedFrame
from services.effects.scene.neighbours import look_frames
from services.effects.scene.pixels import YuvPixels
from services.effects.scene.readers import is_black, read_matted, read_moving, read_scene
from services.effects.scene.tracker import SceneTracker
from services.effects.stamping.clean_plate import Plate, ShotViews, plate_bytes, shot_views
from services.effects.stamping.sequence import SequencePicture
from services.effects.stamping.stamps import StampedFrame, lay_stamps, stamped_frames
from shared.choices import OneOf, described
from shared.errors import Invalid, OperationFailed
from shared.media.partial_name import partial_path
from shared.memory_need import FrameSize
from shared.operation import Input, Kind, Operation, Preset, Progress, Silent, form
from shared.video import map_ordered
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import DEFAULT_RATE, Times, frame_size, matte_warnings, probe_clip, rate_of, write_again

HOLLOW = 0.8
"""Share of the subject's area below which a stamp is hollow. Means of two clips: 0.97 of a lorry stamped whole, 0.52 of a slow dancer with
torn arms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskChoice:
    """A way to cut out the subject, as a row of MASKS."""

    name: str
    label: str
    """Label in a form."""
    description: str


MASKS = {
    choice.name: choice
    for choice in (
        MaskChoice(name="auto", label="Automatic", description="uses a matte; without one, or if it is black, detects motion"),
        MaskChoice(name="motion", label="Motion", description="detects motion, even if a matte is given"),
        MaskChoice(name="matte", label="Matte", description="needs a matte"),
    )
}


class StrobeParams(ClipPart, SubjectParams):
    """Params of the stamps and the sequence picture."""

    interval: float = Field(
        0.25,
        ge=0.02,
        le=60,
        description="Time between two stamps, in seconds.",
        title="Interval",
        json_schema_extra=form("basics", unit="s"),
    )
    stamps: int = Field(
        24,
        ge=1,
        le=100,
        description="Maximum number of stamps at a time. If there are more, the oldest are removed.",
        title="Stamps",
        json_schema_extra=form("basics"),
    )
    opacity: float = Field(
        1.0, ge=0.05, le=1, description="Opacity of the stamps, up to 1 (opaque).", title="Opacity", json_schema_extra=form("basics")
    )
    canvas: float = Field(
        3.0,
        ge=1,
        le=6,
        description="Maximum size of the picture as it grows along the camera's path, in multiples of the frame's width and height.",
        title="Largest picture",
        json_schema_extra=form("expert"),
    )

    mask: Annotated[str, OneOf(MASKS)] = Field(
        "auto",
        description=f"How the subject is cut out: {described(MASKS.values())}.",
        title="Cut out by",
        json_schema_extra=form("more", labels={row.name: row.label for row in MASKS.values()}),
    )


class StrobeResult(EffectResult):
    """Summary of the written video and sequence picture."""

    mask: str = Field(description="How the subject was cut out: `motion` or `matte`.")
    subject_seen: float | None = Field(
        description="Mean share of the subject's area that the stamps contain, 0 to 1; null without stamps. Low values mean hollow stamps."
    )
    hollow: list[float] = Field(
        description="Times of hollow stamps, in seconds of the source. They contain less than 0.8 of the subject's area."
    )

    stamped: list[float] = Field(description="Times of the stamps in the picture, in seconds of the source.")
    picture_width: int = Field(description="Width of the picture in pixels.")
    picture_height: int = Field(description="Height of the picture in pixels.")


def strobe(
    params: StrobeParams, *, video: Path, matte: Path | None, outputs: Mapping[str, Path], progress: Progress = Silent()
) -> StrobeResult:
    """Stamp the moving subject over its background every `interval` seconds.

    Stamps are aligned with the camera, and each shot starts without stamps.

    `outputs["video"]` is a video in which stamps gather behind the subject. `outputs["picture"]` is a PNG of the shot with the most stamps.
    It shows all of the scene that the camera saw, up to `canvas` times the frame's width and height, with the stamps on top. The subject
    is removed wherever the scene behind it was visible at some time. Parts that the camera did not see are transparent.

    `matte`: a gray video, white where the subject is; it replaces the motion mask unless `mask` is `motion`. With `auto`, a matte that is
    black throughout is not used. Without a matte, a warning says how many stamps are hollow. Memory holds `stamps` cut-outs and two
    canvases, whatever the clip's length.
    Raises UnsupportedMedia and BrokenMedia for the inputs, Invalid for a missing matte, an empty part and for jobs that need too much
    memory.
    """
    if params.mask == "matte" and matte is None:
        raise Invalid("`mask` matte needs a matte, and none is given: make one with matting.matte, or choose `auto`.")
    matte = None if params.mask == "motion" else matte
    if params.mask == "auto" and matte is not None and is_black(matte):
        progress.warn("The matte is black: it shows no subject. Motion detection cut out the subject instead.")
        matte = None
    info = probe_clip(video, params)
    refuse_size(params, frame_size(info), matte=matte is not None)
    for warning in matte_warnings(matte, params, info=info) if matte else ():
        progress.warn(warning)
    tracker = SceneTracker(info.width, info.height, model=params.camera_model)
    sequence = SequencePicture(stamps=params.stamps, growth=params.canvas, opacity=params.opacity)
    with closing(_pictures(params, tracker, sequence, video, matte, float(rate_of(info)))) as pictures:
        summary = write_again(
            pictures, params, video=video, info=info, output=outputs["video"], progress=progress, background=params.background
        )
    try:
        picture = sequence.finished()
        _save(picture.picture, outputs["picture"])
    except BaseException:
        outputs["video"].unlink(missing_ok=True)
        raise
    warn_if_unsure(tracker, summary, progress)
    hollow = [] if matte else [second for second, share in zip(picture.seconds, picture.subject_shares, strict=True) if share < HOLLOW]
    if hollow:
        progress.warn(
            f"{len(hollow)} of {len(picture.seconds)} stamps are hollow or torn: motion detection found as little as "
            f"{min(picture.subject_shares):.0%} of the area of the subject. Give a matte of the subject; matting.matte makes one."
        )
    if not picture.seconds:
        progress.warn("No moving subject was found, so there are no stamps. Lower motion_threshold, or give a matte.")
    if sequence.clipped:
        progress.warn("The picture leaves out parts of the scene that the camera saw. Raise canvas to include them.")
    height, width = picture.picture.shape[:2]
    return StrobeResult.of(
        summary,
        tracker,
        info,
        mask="motion" if matte is None else "matte",
        stamped=picture.seconds,
        subject_seen=float(np.mean(picture.subject_shares)) if picture.subject_shares else None,
        hollow=hollow,
        picture_width=width,
        picture_height=height,
    )


def _pictures(
    params: StrobeParams, tracker: SceneTracker, sequence: SequencePicture, video: Path, matte: Path | None, rate: float
) -> Generator[tuple[Times, av.VideoFrame], None, None]:
    """Yield the times of each source frame, and its picture with stamps.

    Also adds every frame to `sequence`.
    """
    if matte is not None:
        frames = read_matted(tracker, video, matte, params, background=params.background, full_size=True)
    else:
        frames = _complete_subjects(params, tracker, video, rate)
    with closing(frames):
        first = next(frames, None)
        if first is None:
            return
        pixels = YuvPixels(first.frame)

        def stamped() -> Iterator[StampedFrame]:
            for frame in stamped_frames(chain([first], frames), pixels, interval_s=params.interval, max_stamps=params.stamps):
                sequence.add(frame)
                yield frame

        def composed(stamped: StampedFrame) -> tuple[Times, av.VideoFrame]:
            frame = stamped.frame
            out = pixels.blank(frame.frame)
            for target, plane in zip(out, pixels.planes(frame.frame), strict=True):
                np.copyto(target, plane)
            subject = frame.mask.astype(np.float32) / np.float32(255)
            lay_stamps(out, stamped.stamps, frame.pose, subject, opacity=params.opacity)
            return Times.of(frame.frame), pixels.picture(out, frame.frame)

        yield from map_ordered(composed, stamped(), workers=worker_count(), ahead=2)


def _complete_subjects(params: StrobeParams, tracker: SceneTracker, video: Path, rate: float) -> Generator[MaskedFrame, None, None]:
    """Yield frames whose masks cover the whole subject, even if it moves slowly.

    The pixels that differ from the scene behind the subject are added to a mask. A second reader, which runs one shot ahead, collects that
    scene: it keeps the small planes of a few frames of each shot.
    """
    ahead = SceneTracker(tracker.width, tracker.height, model=params.camera_model)
    # Small planes are made as fast as the decoder delivers frames, so a longer queue of full-size pictures would only cost memory.
    with (
        closing(read_moving(tracker, video, params, background=params.background, rate=rate, threshold=params.motion_threshold)) as frames,
        closing(read_scene(ahead, video, params, background=params.background, prefetch=2)) as frames_ahead,
    ):
        shots = shot_views(frames_ahead, ahead, threshold=params.motion_threshold)

        def with_plates() -> Iterator[tuple[MaskedFrame, ShotViews, Plate]]:
            for (_, shot), views in zip(groupby(frames, key=lambda frame: frame.shot), shots, strict=True):
                for frame in shot:
                    yield frame, views, views.plate(frame.pose)

        def completed(item: tuple[MaskedFrame, ShotViews, Plate]) -> MaskedFrame:
            frame, views, plate = item
            return frame.with_mask(views.subject(frame, plate))

        yield from map_ordered(completed, with_plates(), workers=worker_count(), ahead=2)


def refuse_size(params: StrobeParams, size: FrameSize, *, matte: bool) -> None:
    """Raise Invalid if the job needs too much memory."""
    waiting = 0 if matte else 2 * look_frames(float(size.frame_rate or DEFAULT_RATE))
    stored = stored_bytes(size.pixel_format)
    frames = needed_bytes(size.width, size.height, held=params.stamps, waiting=waiting, bytes_per_pixel=stored + 3, full_size=True)
    canvases = int(2 * 4 * params.canvas**2 * size.width * size.height)
    plates = 0 if matte else plate_bytes(size.width, size.height)
    check_memory_budget(frames + canvases + plates, "stamps or canvas, or scale the clip down", errors=("stamps", "canvas"))


def _save(picture: NDArray[np.uint8], path: Path) -> None:
    """Write a picture as PNG, atomically.

    `picture`: (height, width, 3 or 4) uint8 R, G, B and A. Raises OperationFailed if it cannot be encoded.
    """
    order = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
    encoded, data = cv2.imencode(".png", cv2.cvtColor(picture, order))
    if not encoded:
        raise OperationFailed(f"A picture of {picture.shape[1]}x{picture.shape[0]} could not be encoded as PNG.")
    partial = partial_path(path, ".png")
    try:
        partial.write_bytes(data.tobytes())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


STROBE = Operation(
    name="effects.strobe",
    bytes_per_pixel=lambda _params: 210,
    process_bytes=150 * 1000**2,
    refuse_sizes=lambda params, sizes: refuse_size(params, sizes["video"], matte="matte" in sizes and params.mask != "motion"),
    title="Strobe",
    presets=(
        Preset(
            name="stroboscope", title="Stroboscope", sentence="Stamps the subject four times a second.", params=StrobeParams(interval=0.25)
        ),
        Preset(
            name="fan",
            title="Dense fan",
            sentence="Many see-through stamps close together.",
            params=StrobeParams(interval=0.08, stamps=60, opacity=0.5),
        ),
        Preset(name="steps", title="Few steps", sentence="Some clear stamps, far apart.", params=StrobeParams(interval=0.6, stamps=8)),
    ),
    summary="Stamp the moving subject at intervals over its scene, as a video and as one picture",
    params=StrobeParams,
    result=StrobeResult,
    inputs={
        "video": Kind.VIDEO,
        "matte": Input(
            kind=Kind.VIDEO,
            optional=True,
            role="matte",
            auto="matting.matte.alpha",
            auto_if={"mask": "auto"},
            title="Matte",
            description="Gray video in which the subject is white.",
        ),
    },
    outputs={"video": Kind.VIDEO, "picture": Kind.IMAGE},
    run=strobe,
    version=10,
    example=StrobeParams(interval=0.4),
)
