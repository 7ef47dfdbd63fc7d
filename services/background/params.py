"""Params for painting and mixing that several operations share."""

import importlib.util
import secrets
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from services.background.diffusion.paint import Plan
from services.background.diffusion.pipeline import Painting
from services.background.diffusion.schedulers import LCM_STEPS, SCHEDULERS, SchedulerName
from services.background.diffusion.table import PAINTERS, PAINTERS_BY_NAME, SdModel
from services.background.mixing.compositor import Look, Shadow
from shared.choices import described
from shared.models.devices.device import choose_device, torch_has_gpu_code
from shared.models.devices.precision import has_bf16
from shared.models.folder import ModelFolder, install_command
from shared.operation import Input, Kind, Params, form

MAX_SEED = 2**32 - 1
_LIBRARIES_BYTES = 480 * 1000**2
"""Memory of a process with PyTorch and diffusers."""

MATTE = Input(
    kind=Kind.VIDEO, role="matte", auto="matting.matte.alpha", title="Matte", description="Gray video in which the subject is white."
)
"""The matte that every operation of this service needs."""


class PaintParams(Params):
    """Params for painting a picture from a prompt."""

    prompt: str = Field(
        "",
        max_length=2000,
        description="Description of the background.",
        title="Description",
        json_schema_extra=form("basics", widget="text", role="painted_scene"),
    )
    negative_prompt: str = Field(
        "people, person, text, watermark, blurry, distorted",
        max_length=2000,
        description="What the background must not show.",
        title="Not in the picture",
        json_schema_extra=form("more", widget="text"),
    )
    strength: float = Field(
        0.95,
        gt=0,
        le=1,
        description="How much the painting may differ from the clip's frame that it starts from; 1 ignores that frame.",
        title="Freedom",
        json_schema_extra=form("more"),
    )
    steps: int = Field(
        30, ge=1, le=150, description="Diffusion steps. More are finer and slower.", title="Steps", json_schema_extra=form("more")
    )
    guidance: float = Field(
        7.5, ge=0, le=30, description="How closely the painting follows the prompt.", title="Guidance", json_schema_extra=form("more")
    )
    seed: int | None = Field(
        None,
        ge=0,
        le=MAX_SEED,
        description="The same seed gives the same picture on the same device. Empty: a random seed.",
        title="Seed",
        json_schema_extra=form("basics"),
    )
    scheduler: SchedulerName = Field(
        "dpm++2m-karras",
        description=f"Sampling method. {described(SCHEDULERS, colon=True)}.",
        title="Scheduler",
        json_schema_extra=form("expert", labels={row.name: row.label for row in SCHEDULERS}),
    )
    sd_model: SdModel = Field(
        "sd15",
        description=f"Model that paints. {described(PAINTERS, colon=True)}.",
        title="Model",
        json_schema_extra=form("more", labels={row.name: row.label for row in PAINTERS}),
    )
    lcm: bool = Field(
        False,
        description="Paint in 4 to 8 `steps` with the LCM LoRA of Stable Diffusion 1.5. Use scheduler `lcm` and guidance 1. Needs PEFT.",
        title="Few steps (LCM)",
        json_schema_extra=form("expert"),
    )
    detail: bool = Field(
        True,
        description="Paint again in tiles if the picture is larger than the model handles well.",
        title="Paint details",
        json_schema_extra=form("more"),
    )
    max_vram: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="Limit of GPU memory in gigabytes. A model that does not fit is loaded in parts, which is slower. "
        "Empty: no limit. Has no effect on a CPU.",
        title="GPU memory",
        json_schema_extra=form("expert", unit="GB"),
    )
    resolution: int = Field(
        1080,
        ge=64,
        le=4320,
        description="Largest height of the result in pixels. The clip is never enlarged.",
        title="Largest height",
        json_schema_extra=form("more", unit="px"),
    )

    @model_validator(mode="after")
    def _lcm_fits(self) -> Self:
        if self.lcm and not PAINTERS_BY_NAME[self.sd_model].lcm:
            raise ValueError(f"there is no LCM LoRA for {self.sd_model}: use sd15, or turn `lcm` off")
        if self.scheduler == "lcm" and not self.lcm:
            raise ValueError("scheduler `lcm` is for the LCM LoRA only: turn `lcm` on, or choose another scheduler")
        if self.scheduler == "lcm" and self.steps > LCM_STEPS:
            raise ValueError(f"scheduler `lcm` takes at most {LCM_STEPS} `steps`; 4 to 8 are usual")
        return self


class LookParams(Params):
    """Params for mixing a subject with a new background: light, colours, grain, edges."""

    light: Literal["video", "linear"] = Field(
        "video",
        description="`video` mixes signal values, as players do; `linear` mixes light: softer edges on bright backgrounds.",
        title="Mixing",
        json_schema_extra=form("more", labels={"video": "Video signal", "linear": "Linear light"}, role="mixing_space"),
    )
    decontaminate: bool = Field(
        True,
        description="Remove the old background's colours from hair and soft edges. Exact if a clean plate is given.",
        title="Clean edges",
        json_schema_extra=form("more"),
    )
    light_wrap: float = Field(
        0.3,
        ge=0,
        le=1,
        description="How much light of the background spills over the subject's edge.",
        title="Light wrap",
        json_schema_extra=form("more", role="edge_light"),
    )
    match: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How strongly the subject's brightness, contrast and colours are matched to the background. "
        "No effect over a plain colour.",
        title="Match colours",
        json_schema_extra=form("basics", role="colour_match"),
    )
    grain: bool = Field(
        True,
        description="Add grain to a background that has less than the clip. No effect on a plain colour.",
        title="Match grain",
        json_schema_extra=form("more"),
    )
    blobs: float = Field(
        0.4,
        ge=0,
        le=1,
        description="Remove faint blobs from the matte, and blobs smaller than this share of the largest blob. 0 keeps all.",
        title="Remove blobs",
        json_schema_extra=form("expert"),
    )

    def look(self, *, matrix: str, shadow: Shadow) -> Look:
        """Return these params as compositing options for planes of the colour matrix `matrix`."""
        return Look(
            linear=self.light == "linear",
            decontaminate=self.decontaminate,
            light_wrap=self.light_wrap,
            match=self.match,
            shadow=shadow,
            blobs=self.blobs,
            matrix=matrix,
        )


def plan_of(params: PaintParams, prompt: str) -> Plan:
    """Return the plan for painting `prompt` with the settings in `params`.

    The seed is random if `params` has none.
    """
    painting = Painting(
        prompt=prompt,
        negative_prompt=params.negative_prompt,
        strength=params.strength,
        steps=params.steps,
        guidance=params.guidance,
        seed=secrets.randbelow(MAX_SEED) if params.seed is None else params.seed,
        scheduler=params.scheduler,
    )
    return Plan(painting=painting, side=PAINTERS_BY_NAME[params.sd_model].side, detail=params.detail)


def models_of(params: PaintParams, *, control: bool = False) -> list[str]:
    """Return the catalog names of the models needed for painting.

    `control`: whether the ControlNet for depth is needed too.
    """
    row = PAINTERS_BY_NAME[params.sd_model]
    return [row.model, *([row.control] if control else []), *([row.lcm] if params.lcm else [])]


def bytes_per_pixel(params: PaintParams) -> float:
    """Estimate a job's memory in bytes per pixel of its clip's frames.

    Decoding takes memory for the clip's size; the background and the encoder take memory for a height of at most `resolution`.
    """
    return 46 + 136 * min(1.0, (params.resolution / 2160) ** 2)


def painting_bytes(params: PaintParams, *, control: bool = False) -> int:
    """Estimate a painting process's memory without its pictures, in bytes.

    It is the larger of two peaks. The first is while the UNet is loaded, before the other parts: its file at half precision is in memory
    too. The second is during the steps: all weights, and half the working memory of a GPU. Weights are at half precision if the device
    computes in it. `control`: whether the ControlNet for depth is loaded too.
    """
    row = PAINTERS_BY_NAME[params.sd_model]
    times = 1 if has_bf16() or (torch_has_gpu_code() and choose_device().kind == "cuda") else 2
    weights = row.size + (row.control_size if control else 0)
    return _LIBRARIES_BYTES + max(row.unet_size * (1 + times), weights * times + row.working // 2)


def missing_for_painting(params: PaintParams, *others: str, control: bool = False) -> str | None:
    """Return the command that installs the models and packages missing for painting.

    Returns None if nothing is missing. `others`: catalog names of further models. `control`: whether the ControlNet for depth is needed
    too.
    """
    peft = "pip install peft" if params.lcm and importlib.util.find_spec("peft") is None else None
    return " && ".join(filter(None, (install_command(*models_of(params, control=control), *others), peft))) or None


class ModelUsed(BaseModel):
    """Name and licence of a model used for a result."""

    name: str = Field(description="Name in the catalog of models.")
    licence: str = Field(description="Licence of the weights.")
    commercial_use: bool = Field(description="Whether the licence allows commercial use.")


def models_used(*names: str) -> list[ModelUsed]:
    """Return the name and licence of each model in `names`."""
    folder = ModelFolder.current()
    models = [folder.model(name) for name in names]
    return [ModelUsed(name=model.name, licence=model.licence, commercial_use=model.commercial_use) for model in models]
