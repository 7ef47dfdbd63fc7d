"""background.generate: paint a background from a prompt."""

from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import BaseModel, Field, field_validator

from services.background.diffusion.paint import kept_outside, paint
from services.background.diffusion.pipeline import pipeline
from services.background.diffusion.scenes import BEACH, CITY, EMPTY
from services.background.diffusion.table import PAINTERS_BY_NAME
from services.background.params import (
    MATTE,
    ModelUsed,
    PaintParams,
    bytes_per_pixel,
    missing_for_painting,
    models_of,
    models_used,
    painting_bytes,
    plan_of,
)
from services.background.stage.reference import reference_frame, subject_mask, without_subject
from services.background.stage.sizes import output_size
from shared.operation import Kind, Operation, Preset, Progress, Silent, form
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import matte_warnings
from shared.video.probing.probe import probe_video
from shared.video.seconds import to_fraction

_GROW = 40
"""Frame height divided by the default of `grow`, in pixels."""


class GenerateParams(PaintParams):
    """Params for choosing the area of a frame to paint, and painting it."""

    prompt: str = Field(
        min_length=1,
        max_length=2000,
        description="Description of the background.",
        title="Description",
        json_schema_extra=form("basics", widget="text"),
    )
    reference: float | None = Field(
        None,
        ge=0,
        le=1e6,
        description="Time of the frame to paint into, in seconds. Empty: the middle of the clip.",
        title="Frame at",
        json_schema_extra=form("more", unit="s", widget="time"),
    )
    grow: int | None = Field(
        None,
        ge=0,
        le=400,
        description="Pixels to grow the matte by, to paint over soft edges and shadows. Empty: 2.5 % of the height.",
        title="Grow the matte",
        json_schema_extra=form("expert", unit="px", clip_pixels=True),
    )
    keep_outside: bool = Field(
        True,
        description="Keep the clip's own pixels unchanged outside the grown matte. Off: paint the whole picture.",
        title="Keep the rest",
        json_schema_extra=form("basics"),
    )
    feather: int | None = Field(
        None,
        ge=0,
        le=200,
        description="Pixels over which the painting fades into the kept picture. Empty: 1 % of the height.",
        title="Feather",
        json_schema_extra=form("expert", unit="px", clip_pixels=True),
    )

    @field_validator("prompt")
    @classmethod
    def _not_blank(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("the prompt is blank: describe the background")
        return prompt


class GenerateResult(BaseModel):
    """Summary of a painted background."""

    width: int = Field(description="Width of the background in pixels.")
    height: int = Field(description="Height of the background in pixels.")
    reference_s: float = Field(description="Time of the frame that was painted into, in seconds.")
    painted_share: float = Field(description="Share of the picture that was painted, 0 to 1.")
    seed: int = Field(description="Random seed. The same seed gives the same picture on the same device.")
    device: str = Field(description="Device that ran the network.")
    precision: str = Field(description="Number format of the network's computation: f16, bf16 or f32.")
    models: list[ModelUsed] = Field(description="Models used, with their licences.")


def generate(params: GenerateParams, *, video: Path, alpha: Path, output: Path, progress: Progress = Silent()) -> GenerateResult:
    """Paint a background for `video` and write it as an RGB PNG.

    `alpha`: a gray video, white is the subject. The painting starts from one frame: its subject is painted over from the prompt, or the
    whole frame without `keep_outside`. Raises UnsupportedMedia and BrokenMedia for the sources, Invalid for a time beyond the end,
    ModelMissing, ModelDamaged, Unavailable for LCM without PEFT.
    """
    info = probe_video(video)
    for warning in [*info.warnings, *matte_warnings(alpha, ClipPart(), info=info)]:
        progress.warn(warning)
    time = to_fraction(info.length_s) / 2 if params.reference is None else to_fraction(params.reference)
    size = output_size(info.width, info.height, params.resolution)
    frame = reference_frame(video, alpha, time, size)
    height = size[1]
    subject = subject_mask(frame.matte, max(height // _GROW, 2) if params.grow is None else params.grow)
    empty = np.clip(np.rint(without_subject(frame.rgb.astype(np.float32), subject)), 0, 255).astype(np.uint8)
    mask = subject if params.keep_outside else np.full(subject.shape, 255, np.uint8)
    row, plan = PAINTERS_BY_NAME[params.sd_model], plan_of(params, params.prompt)
    if mask.any():
        with pipeline(row, progress, lcm=params.lcm, max_vram=params.max_vram) as ready:
            picture = paint(ready, plan, empty, mask, progress, depth=None)
            device, precision = ready.device, ready.precision
        if params.keep_outside:
            picture = kept_outside(frame.rgb, picture, mask, max(height // 100, 2) if params.feather is None else params.feather)
    else:
        progress.warn(
            "The matte shows no subject in this frame: nothing was painted. Choose another `reference`, or turn `keep_outside` off."
        )
        picture, device, precision = frame.rgb, "none", "none"
    Image.fromarray(picture, "RGB").save(output, format="PNG")
    progress(1, 1)
    return GenerateResult(
        width=size[0],
        height=size[1],
        reference_s=round(float(frame.time), 3),
        painted_share=round(float((mask > 0).mean()), 4),
        seed=plan.painting.seed,
        device=device,
        precision=precision,
        models=models_used(*models_of(params)) if mask.any() else [],
    )


GENERATE = Operation(
    name="background.generate",
    title="Paint a background",
    presets=(
        Preset(
            name="empty",
            title="Same place, empty",
            sentence="Paints over the subject and keeps the rest.",
            params=GenerateParams(prompt=EMPTY),
        ),
        Preset(
            name="beach",
            title="Beach",
            sentence="A beach at golden hour, seen like the clip.",
            params=GenerateParams(prompt=BEACH, keep_outside=False),
        ),
        Preset(
            name="city",
            title="City at night",
            sentence="Streets with lights, seen like the clip.",
            params=GenerateParams(prompt=CITY, keep_outside=False),
        ),
    ),
    summary="Paint a background from a description, by Stable Diffusion",
    params=GenerateParams,
    result=GenerateResult,
    inputs={
        "video": Kind.VIDEO,
        "alpha": MATTE,
    },
    outputs={"background": Kind.IMAGE},
    run=generate,
    example=GenerateParams(prompt=BEACH, seed=42),
    version=5,
    unavailable=lambda params: missing_for_painting(params),
    bytes_per_pixel=bytes_per_pixel,
    process_bytes=lambda params: painting_bytes(params),
)
