"""background.plate: recover a clip's background without its subject."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image
from pydantic import BaseModel, Field

from services.background.clean_plate.build import PlateOptions, build_plate
from services.background.clip.planes import rgb_of
from services.background.fill.table import BY_NAME, FILLINGS, Inpaint
from services.background.params import MATTE, ModelUsed, models_used
from shared.choices import described
from shared.errors import Invalid
from shared.models.folder import install_command
from shared.operation import Kind, Operation, Preset, Progress, Silent, form
from shared.video import conversion_warnings
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import expected_frames, matte_warnings, probe_clip

Canvas = Literal["frame", "panorama"]
_PARALLAX = 0.1
"""Minimum share of tracked points on a second plane in a scene with depth. No flat plate fits such a scene."""


class PlateParams(ClipPart):
    """Params for building a clean plate."""

    samples: int = Field(
        200,
        ge=3,
        le=1000,
        description="Number of frames, evenly spaced over the clip, from which the plate is made.",
        title="Sampled frames",
        json_schema_extra=form("more", unit="frames"),
    )
    grow: int | None = Field(
        None,
        ge=0,
        le=200,
        description="Pixels to grow the matte by, so that soft edges and shadows stay out. Empty: 1 % of the height.",
        title="Grow the matte",
        json_schema_extra=form("expert", unit="px", clip_pixels=True),
    )
    canvas: Canvas = Field(
        "frame",
        description="`frame`: the view of the reference frame, in its size. `panorama`: everything that the panning camera saw.",
        title="Size",
        json_schema_extra=form("basics", labels={"frame": "One frame", "panorama": "Panorama"}),
    )
    reference: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="Time of the reference frame in seconds. The plate has the view of that frame. Empty: the middle of the longest shot.",
        title="Seen from",
        json_schema_extra=form("more", unit="s", widget="time"),
    )
    match_light: bool = Field(
        True,
        description="Even out changes of exposure and white balance over the clip.",
        title="Even out the light",
        json_schema_extra=form("more"),
    )
    remove_transients: bool = Field(
        True,
        description="Remove objects that stay in the scene for a while and are not in the matte.",
        title="Remove passers-by",
        json_schema_extra=form("basics"),
    )
    inpaint: Inpaint = Field(
        "smooth",
        description=f"How to fill areas that the subject hides in every frame. {described(FILLINGS, colon=True)}.",
        title="Fill holes",
        json_schema_extra=form("basics", labels={row.name: row.label for row in FILLINGS}),
    )


class PlateResult(BaseModel):
    """Size and measurements of a clean plate."""

    width: int = Field(description="Width of the plate in pixels.")
    height: int = Field(description="Height of the plate in pixels.")
    left: int = Field(description="Position of the reference frame's left edge on the plate, in pixels; 0 unless `canvas` is panorama.")
    top: int = Field(description="Position of the reference frame's top edge on the plate, in pixels; 0 unless `canvas` is panorama.")
    reference_s: float = Field(description="Time of the reference frame in seconds. The plate has the view of that frame.")
    samples: int = Field(description="Number of frames that the plate is made from.")
    aligned_share: float = Field(description="Share of the sampled frames that could be aligned, 0 to 1.")
    parallax_share: float = Field(
        description="Share of tracked points that follow a second plane, 0 to 1. From 0.1 on, the scene has depth."
    )
    invented_share: float = Field(description="Share of the plate that no frame shows and that was filled, 0 to 1.")
    transient_share: float = Field(description="Share of the plate that passing objects covered for most of the time, 0 to 1.")
    inpaint: str = Field(description="Method that filled holes; empty if there were no holes.")
    models: list[ModelUsed] = Field(description="Models used, with their licences.")


def plate(params: PlateParams, *, video: Path, alpha: Path, outputs: Mapping[str, Path], progress: Progress = Silent()) -> PlateResult:
    """Build the clean plate of `video`.

    `alpha`: a gray video, white is the subject. Writes `plate` (RGB PNG) and `invented` (gray PNG, white where a hole was filled). Frames
    are aligned on their background, and the plate is their median over time. Raises UnsupportedMedia and BrokenMedia for the sources,
    Invalid if no frame begins in the part or `reference` is outside of it, ModelMissing if `inpaint` needs weights that are not installed.
    """
    info = probe_clip(video, params)
    for warning in matte_warnings(alpha, params, info=info):
        progress.warn(warning)
    for warning in conversion_warnings(info, to_sdr8=True, written_as="rgb24"):
        progress.warn(warning)
    length_s = min(info.length_s - params.start, params.duration or info.length_s)
    _check_reference(params, info.length_s)
    options = PlateOptions(
        samples=params.samples,
        grow=max(round(info.height / 100), 2) if params.grow is None else params.grow,
        reference_s=params.reference,
        panorama=params.canvas == "panorama",
        match_light=params.match_light,
        remove_transients=params.remove_transients,
    )
    built = build_plate(
        video, alpha, params, options, progress.part("plate", 0, 0.9), length_s=max(length_s, 0.001), frames=expected_frames(info, params)
    )
    picture = rgb_of(built.planes, built.color)
    hole = cv2.dilate(built.hole, np.ones((5, 5), np.uint8)) if built.hole.any() else built.hole
    row = BY_NAME[params.inpaint]
    if hole.any():
        picture = row.fill(picture, np.asarray(hole, np.uint8), progress)
    Image.fromarray(picture, "RGB").save(outputs["plate"], format="PNG")
    Image.fromarray(np.asarray(hole, np.uint8), "L").save(outputs["invented"], format="PNG")
    height, width = hole.shape
    result = PlateResult(
        width=width,
        height=height,
        left=built.left,
        top=built.top,
        reference_s=built.reference_s,
        samples=built.samples,
        aligned_share=round(built.aligned, 4),
        parallax_share=round(built.second_plane, 4),
        invented_share=round(float((hole > 0).mean()), 4),
        transient_share=round(built.transient, 4),
        inpaint=row.name if hole.any() else "",
        models=models_used(row.model) if row.model and hole.any() else [],
    )
    _warn(result, built.other_shots, progress)
    progress(1, 1)
    return result


def _check_reference(params: PlateParams, length_s: float) -> None:
    """Raise Invalid if the reference time lies outside the part.

    `params.reference`: time of the reference, in seconds.
    """
    end = length_s if params.duration is None else min(length_s, params.start + params.duration)
    if params.reference is not None and not params.start <= params.reference < end:
        detail = f"`reference` {params.reference:g} s lies outside the part, which lasts from {params.start:g} to {end:.2f} s"
        raise Invalid.field("params.reference", detail, f"{detail}. Choose a time within the part.")


def _warn(result: PlateResult, other_shots: int, progress: Progress) -> None:
    """Warn about limits of the plate's quality."""
    if other_shots:
        progress.warn(
            f"{other_shots} sampled frames belong to other shots and were left out. Set `reference` to a time in the shot that you want."
        )
    if result.parallax_share >= _PARALLAX:
        progress.warn(
            f"The scene has depth: {result.parallax_share:.0%} of the tracked points follow a second plane, so a flat plate "
            "fits only the reference frame. Use a shorter part of the clip, or background.studio for a background with parallax."
        )
    if result.aligned_share < 0.8:
        progress.warn(
            f"Only {result.aligned_share:.0%} of the sampled frames could be aligned; "
            "the others show too little background, or a scene with depth."
        )
    if result.invented_share > 0.02:
        progress.warn(f"{result.invented_share:.0%} of the plate is hidden in every frame and was filled by `{result.inpaint}`.")


PLATE = Operation(
    name="background.plate",
    bytes_per_pixel=lambda _params: 66,
    process_bytes=155 * 1000**2,
    title="Clean plate",
    presets=(
        Preset(name="view", title="One view", sentence="The scene as one frame shows it, without the subject.", params=PlateParams()),
        Preset(
            name="panorama",
            title="Panorama",
            sentence="Everything that a panning camera saw, in one picture.",
            params=PlateParams(canvas="panorama"),
        ),
        Preset(
            name="parked",
            title="With parked things",
            sentence="Keeps what stays for a while, such as a parked car.",
            params=PlateParams(remove_transients=False),
        ),
        Preset(
            name="painted",
            title="Painted holes",
            sentence="A network paints what the subject always hides.",
            params=PlateParams(inpaint="lama"),
        ),
    ),
    summary="Recover the real background of a clip, without its subject",
    params=PlateParams,
    result=PlateResult,
    inputs={
        "video": Kind.VIDEO,
        "alpha": MATTE,
    },
    outputs={"plate": Kind.IMAGE, "invented": Kind.IMAGE},
    run=plate,
    version=5,
    example=PlateParams(samples=60),
    unavailable=lambda params: install_command(BY_NAME[params.inpaint].model) if BY_NAME[params.inpaint].model else None,
)
