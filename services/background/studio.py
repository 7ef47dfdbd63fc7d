"""background.studio: put the subject into another scene that follows the camera."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, Field, field_validator

from services.background.analysis.camera_path import CameraPath, Overscan, overscan
from services.background.analysis.clip_analysis import Analysis, analyze
from services.background.analysis.scene_light import CameraHeight, LightFrom
from services.background.diffusion.pipeline import pipeline
from services.background.diffusion.scenes import BEACH, CITY
from services.background.diffusion.table import PAINTERS_BY_NAME
from services.background.parallax import depth
from services.background.parallax.moving_plate import MovingPlate, middle_depth, parallax_reach
from services.background.params import (
    MATTE,
    LookParams,
    ModelUsed,
    PaintParams,
    bytes_per_pixel,
    missing_for_painting,
    models_of,
    models_used,
    painting_bytes,
    plan_of,
)
from services.background.stage.painting import described_scene, painted_place, scene_depth
from services.background.stage.reference import reference_frame
from services.background.stage.render import Render, Stage
from services.background.stage.sizes import large_size, output_size
from shared.declarations.figure import figure
from shared.errors import Invalid
from shared.models.folder import install_command
from shared.operation import Input, Kind, Operation, Preset, Progress, Silent, form
from shared.video import VideoInfo
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import expected_frames, matte_warnings, probe_clip, rate_of, write_again
from shared.video.frames.color import matrix_or_guess
from shared.video.frames.cover import cover
from shared.video.stills.opaque_picture import opaque_picture
from shared.video.writing.encoder_input import coded_size

Floats = NDArray[np.float32]


class StudioParams(PaintParams, LookParams, ClipPart):
    """Params for the new background, its motion, and mixing the subject with it."""

    depth: Literal["model", "plane"] = Field(
        "model",
        description="`model` estimates the background's depth for parallax. `plane` treats everything as equally far and needs no model.",
        title="Depth",
        json_schema_extra=form("more", labels={"model": "Estimated", "plane": "Flat"}, role="depth_source"),
    )
    depth_scale: float = Field(
        0.3,
        ge=0,
        le=2,
        description="Parallax: how much more the nearest parts of the background move than the farthest, as a share of the camera's "
        "motion.",
        title="Parallax",
        json_schema_extra=form("basics", role="parallax"),
    )
    bg_margin: float = Field(
        0.0,
        ge=0,
        le=4,
        description="Size of the background relative to a frame, at least 1. 0: chosen from the motion of the camera, from 1.3 to 2.5.",
        title="Margin",
        json_schema_extra=form("expert"),
    )
    exposure_smooth: int = Field(
        15,
        ge=1,
        le=1000,
        description="Number of frames over which the subject's exposure is averaged. The background follows this exposure.",
        title="Exposure smoothing",
        json_schema_extra=form("expert", unit="frames", role="exposure_window"),
    )
    shadow: Literal["none", "contact"] = Field(
        "none",
        description="Draw a soft `contact` shadow at the feet, or `none`.",
        title="Shadow",
        json_schema_extra=form("basics", labels={"none": "None", "contact": "Draw one"}),
    )

    @field_validator("bg_margin")
    @classmethod
    def _zero_or_larger_than_a_frame(cls, margin: float) -> float:
        if 0 < margin < 1:
            raise ValueError(f"bg_margin {margin:g} makes the background smaller than the frame, which leaves holes: give 0, or at least 1")
        return margin


class StudioResult(BaseModel):
    """Measurements and summary of the written video."""

    frames: int = Field(description="Number of frames in the output.", json_schema_extra=figure("frame_count"))
    frame_rate: str = Field(
        description='Frames per second of the output as an exact fraction, such as "30000/1001"; the average if it varies.',
        json_schema_extra=figure("frame_rate"),
    )
    duration_s: float = Field(description="Length of the output in seconds.", json_schema_extra=figure("result_length"))
    width: int = Field(description="Width of the output in pixels.")
    height: int = Field(description="Height of the output in pixels.")
    background: Literal["given", "generated"] = Field(description="Source of the background.")
    prompt: str = Field(description="Prompt that was painted, including the clip's light and camera height; empty for a given background.")
    seed: int | None = Field(description="Seed of the painting; null for a given background.")
    models: list[ModelUsed] = Field(description="Models used, with their licences.")
    reference_s: float = Field(description="Time of the reference frame in seconds. The background has the view of that frame.")
    drift_px: float = Field(description="Largest distance of the camera from the reference view, in pixels of the output.")
    drift_share: float = Field(description="Share of the camera's motion that the background follows; below 1 if the margin is too small.")
    bg_margin: float = Field(description="Size of the background relative to a frame.")
    parallax_px: float = Field(description="Largest shift between near and far parts of the background, in pixels.")
    exposure: tuple[float, float] = Field(
        description="Lowest and highest brightness of the background, relative to its original brightness."
    )
    light_from: LightFrom = Field(description="Side that light comes from in the clip.")
    camera_height: CameraHeight = Field(description="Height of the camera, estimated from head and feet of the subject.")
    grain: float = Field(description="Levels of grain (standard deviation, of 255) given to the background.")
    encoder: str = Field(description="Video encoder used.", json_schema_extra=figure("encoder"))


def studio(
    params: StudioParams,
    *,
    video: Path,
    alpha: Path,
    background: Path | None,
    outputs: Mapping[str, Path],
    progress: Progress = Silent(),
) -> StudioResult:
    """Put the subject of `video` over a new background that follows the camera.

    The background moves with the clip's camera. `alpha`: a gray video, white is the subject. `background`: a picture; None paints the
    background from `prompt`. Writes `video`, `background` (RGB PNG, larger than a frame) and `depth` (gray PNG, white is near). Raises
    UnsupportedMedia and BrokenMedia for the sources, Invalid if no frame begins in the part or unless exactly one of background and prompt
    is given, ModelMissing.
    """
    info = probe_clip(video, params)
    _refuse(params, {} if background is None else {"background": background})
    for warning in matte_warnings(alpha, params, info=info):
        progress.warn(warning)
    frames = expected_frames(info, params)
    size = _result_size(params, info, progress)
    analysis = analyze(
        video,
        alpha,
        params,
        size=(info.width, info.height),
        frames=frames,
        smooth=params.exposure_smooth,
        progress=progress.part("analysis", 0, 0.25),
    )
    if not len(analysis.exposure):
        raise Invalid(f"No frame of the video begins at or after {params.start:g} s. Choose an earlier `start`.")
    path = analysis.path.resized(*size)
    if background is not None:
        place = _Place(opaque_picture(background, progress))
    else:
        place = _painted(params, video, alpha, analysis, path, progress.part("painting", 0.25, 0.5))
    picture = place.picture
    stage_progress = progress.part("depth", 0.5, 0.55)
    alone = params.max_vram is not None
    inverse = depth.estimated_depth(picture, stage_progress, alone=alone) if params.depth == "model" else None
    stage_progress(1, 1)
    over = overscan(path, place.margin or params.bg_margin, parallax_reach(inverse, params.depth_scale))
    plate_rgb, inverse = _fitted(picture, inverse, size, over.margin)
    # Cropping can change the middle depth, and with it the parallax that the margin has to cover.
    over = Overscan(over.margin, min(over.share, overscan(path, over.margin, parallax_reach(inverse, params.depth_scale)).share))
    _save(outputs, plate_rgb, inverse)
    stage = _stage(params, info, analysis, path.scaled(over.share), plate_rgb, inverse, size)
    render = Render(stage, video, alpha, params)
    with closing(render.pictures()) as pictures:
        summary = write_again(pictures, params, video=video, info=info, output=outputs["video"], progress=progress.part("render", 0.55, 1))
    _warn(analysis, over, progress)
    rate = rate_of(info)
    width, height = coded_size(*size, "yuv420p")
    return StudioResult(
        frames=summary.frames,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        duration_s=summary.duration_s,
        width=width,
        height=height,
        background="given" if background is not None else "generated",
        prompt=place.prompt,
        seed=place.seed,
        models=models_used(*_models(params)),
        reference_s=round(float(analysis.reference_s), 3),
        drift_px=round(path.largest, 2),
        drift_share=round(over.share, 4),
        bg_margin=round(over.margin, 4),
        parallax_px=round(_parallax(inverse) * params.depth_scale * path.largest * over.share, 2),
        exposure=(round(float(analysis.exposure.min()), 4), round(float(analysis.exposure.max()), 4)),
        light_from=analysis.light_from,
        camera_height=analysis.camera_height,
        grain=round(render.grain_levels, 2),
        encoder=summary.encoder,
    )


def _result_size(params: StudioParams, info: VideoInfo, progress: Progress) -> tuple[int, int]:
    """Return the size of the result; warn if it is smaller than the clip."""
    width, height = output_size(info.width, info.height, params.resolution)
    if height < info.height:
        progress.warn(
            f"The result is {width}x{height}, smaller than the clip ({info.width}x{info.height}). Raise `resolution` to keep the size."
        )
    return width, height


def _refuse(params: StudioParams, inputs: Mapping[str, object]) -> None:
    """Raise Invalid unless exactly one of background and prompt is given."""
    prompt = bool(params.prompt.strip())
    if ("background" in inputs) == prompt:
        mistake = "both a background picture and a description are given" if prompt else "no background is given"
        detail = f"{mistake}: give either a picture (`background`) or a description (`prompt`), from which one is painted"
        raise Invalid.field("params.prompt", detail, f"{detail.capitalize()}.")


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A given or painted background before cropping, with its margin, prompt and seed.

    `picture`: RGB uint8 (height, width, 3). For a painted background, `margin` is its size relative to a frame; `prompt` and `seed` are
    those of the painting.
    """

    picture: NDArray[np.uint8]
    margin: float = 0.0
    prompt: str = ""
    seed: int | None = None


def _painted(params: StudioParams, video: Path, alpha: Path, analysis: Analysis, path: CameraPath, progress: Progress) -> _Place:
    """Paint the background from the prompt, over the colours of the reference frame.

    The camera's path decides size and margin. If `params.depth` is `model`, the painting follows the depth of the clip's scene.
    """
    guided = params.depth == "model"
    # The depth of the painting is not known yet, so the margin allows for the largest parallax, `depth_scale`.
    over = overscan(path, params.bg_margin, params.depth_scale if guided else 0.0)
    size = large_size(path.width, path.height, over.margin)
    frame = reference_frame(video, alpha, analysis.reference_s, (path.width, path.height))
    alone = params.max_vram is not None
    scene = scene_depth(depth.estimated_depth(frame.rgb, progress, alone=alone), frame.matte, size) if guided else None
    prompt = described_scene(params.prompt, analysis.light_from, analysis.camera_height)
    plan = plan_of(params, prompt)
    row = PAINTERS_BY_NAME[params.sd_model]
    loading = pipeline(row, progress, control=scene is not None, lcm=params.lcm, max_vram=params.max_vram)
    picture = painted_place(loading, plan, frame, scene, size, progress)
    return _Place(picture, over.margin, prompt, plan.painting.seed)


def _models(params: StudioParams) -> list[str]:
    """Return the catalog names of the models that `params` need."""
    guided = params.depth == "model"
    painting = models_of(params, control=guided) if params.prompt.strip() else []
    return [*painting, *([depth.MODEL] if guided else [])]


def _fitted(
    picture: NDArray[np.uint8], inverse: Floats | None, size: tuple[int, int], margin: float
) -> tuple[NDArray[np.uint8], Floats | None]:
    """Crop and scale a picture and its depth to `margin` times a frame's size.

    `size`: (width, height) of a frame.
    """
    large = large_size(*size, margin)
    rgb = np.asarray(cover(picture, *large), np.uint8)
    return rgb, None if inverse is None else np.clip(cover(inverse, *large), 0, 1).astype(np.float32)


def _save(outputs: Mapping[str, Path], rgb: NDArray[np.uint8], inverse: Floats | None) -> None:
    Image.fromarray(rgb, "RGB").save(outputs["background"], format="PNG")
    near = np.full(rgb.shape[:2], middle_depth(None), np.float32) if inverse is None else inverse
    Image.fromarray(np.rint(near * 255).astype(np.uint8), "L").save(outputs["depth"], format="PNG")


def _stage(
    params: StudioParams,
    info: VideoInfo,
    analysis: Analysis,
    path: CameraPath,
    rgb: NDArray[np.uint8],
    inverse: Floats | None,
    size: tuple[int, int],
) -> Stage:
    matrix = matrix_or_guess(analysis.color, info.width, info.height)
    look = params.look(matrix=matrix, shadow=params.shadow)
    plate = MovingPlate(rgb, inverse, path, depth_scale=params.depth_scale, matrix=matrix)
    return Stage(plate=plate, exposure=analysis.exposure, look=look, grain=params.grain, size=size)


def _parallax(inverse: Floats | None) -> float:
    return 0.0 if inverse is None else float(inverse.max() - inverse.min())


def _warn(analysis: Analysis, over: Overscan, progress: Progress) -> None:
    """Warn if the background follows only part of the motion, or restarts at cuts."""
    if over.share < 0.999:
        progress.warn(
            f"The camera moves too far for a background of {over.margin:.2f} times the frame size: the background follows only "
            f"{over.share:.0%} of the motion. Raise `bg_margin`, lower `depth_scale`, or use a shorter part of the clip."
        )
    if analysis.shots > 1:
        progress.warn(f"The clip has {analysis.shots} shots: in each of them, the background starts again from the same view.")


def _missing(params: StudioParams) -> str | None:
    """Return the command that installs missing models; None if none is missing."""
    if not params.prompt.strip():
        return install_command(*_models(params))
    guided = params.depth == "model"
    return missing_for_painting(params, *([depth.MODEL] if guided else []), control=guided)


def _process_bytes(params: StudioParams) -> int:
    """Estimate the job's memory in bytes, without its frames."""
    guided = params.depth == "model"
    if not params.prompt.strip():
        return 170 * 1000**2 + (depth.BYTES if guided else 0)
    return painting_bytes(params, control=guided) + (depth.KEPT_BYTES if guided else 0)


STUDIO = Operation(
    name="background.studio",
    bytes_per_pixel=bytes_per_pixel,
    process_bytes=_process_bytes,
    title="New place",
    presets=(
        Preset(
            name="beach",
            title="Beach",
            sentence="A painted beach that moves with the camera.",
            params=StudioParams(prompt=BEACH),
        ),
        Preset(
            name="city",
            title="City at night",
            sentence="Painted streets with lights.",
            params=StudioParams(prompt=CITY),
        ),
        Preset(
            name="parallax",
            title="Strong parallax",
            sentence="Near parts of the background move much more than far ones.",
            params=StudioParams(depth_scale=0.6),
        ),
        Preset(
            name="flat", title="Flat", sentence="No depth. Needs no model if a background is given.", params=StudioParams(depth="plane")
        ),
    ),
    summary="Put the subject into another scene that follows the camera, with parallax",
    params=StudioParams,
    result=StudioResult,
    inputs={
        "video": Kind.VIDEO,
        "alpha": MATTE,
        "background": Input(
            kind=Kind.IMAGE,
            optional=True,
            role="backdrop",
            example=True,
            title="Background",
            description="Picture of the new background. Empty: painted from the description (`prompt`).",
        ),
    },
    outputs={"video": Kind.VIDEO, "background": Kind.IMAGE, "depth": Kind.IMAGE},
    output_roles={"background": "backdrop", "depth": "depth"},
    run=studio,
    version=9,
    example=StudioParams(depth="plane", resolution=360),
    refuse=_refuse,
    unavailable=_missing,
)
