"""Table of Stable Diffusion models."""

from dataclasses import dataclass
from typing import Annotated

from shared.choices import OneOf

LCM_SD15 = "lcm-lora-sd15"


@dataclass(frozen=True, kw_only=True)
class Painter:
    """A Stable Diffusion model, as a row of `PAINTERS`.

    `model`, `control`, `lcm`: catalog names of the model, its ControlNet and its LCM LoRA; `side`: side in pixels of the squares that it
    was trained on; `size`, `unet_size`, `control_size`: bytes in memory at half precision of the model, its UNet and its ControlNet;
    `working`: estimated bytes of GPU memory that a step at that side takes besides the weights.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    model: str
    control: str
    side: int
    size: int
    unet_size: int
    control_size: int
    working: int
    lcm: str = ""


PAINTERS: tuple[Painter, ...] = (
    Painter(
        name="sd15",
        label="Stable Diffusion 1.5",
        description="Stable Diffusion 1.5",
        model="sd15-inpainting",
        control="controlnet-depth-sd15",
        side=512,
        size=2_150_000_000,
        unet_size=1_720_000_000,
        control_size=745_000_000,
        working=1_000_000_000,
        lcm=LCM_SD15,
    ),
    Painter(
        name="sdxl",
        label="Stable Diffusion XL",
        description="Stable Diffusion XL, finer and slower",
        model="sdxl-inpainting",
        control="controlnet-depth-sdxl-small",
        side=1024,
        size=8_500_000_000,
        unet_size=5_140_000_000,
        control_size=500_000_000,
        working=6_300_000_000,
    ),
)

PAINTERS_BY_NAME = {painter.name: painter for painter in PAINTERS}

SdModel = Annotated[str, OneOf(PAINTERS_BY_NAME)]
