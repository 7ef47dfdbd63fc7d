"""Stable Diffusion models: one row each."""

from dataclasses import dataclass
from typing import Literal

SdModel = Literal["sd15", "sdxl"]
LCM_SD15 = "lcm-lora-sd15"


@dataclass(frozen=True, kw_only=True)
class Painter:
    """One model. `model`, `control`: names in the catalog; `side`: side of the square that it was trained on, in pixels; `size`: bytes."""

    name: SdModel
    about: str
    model: str
    control: str
    side: int
    size: int
    control_size: int
    lcm: str = ""


PAINTERS: tuple[Painter, ...] = (
    Painter(
        name="sd15",
        about="Stable Diffusion 1.5",
        model="sd15-inpainting",
        control="controlnet-depth-sd15",
        side=512,
        size=2_800_000_000,
        control_size=900_000_000,
        lcm=LCM_SD15,
    ),
    Painter(
        name="sdxl",
        about="Stable Diffusion XL, finer and slower",
        model="sdxl-inpainting",
        control="controlnet-depth-sdxl-small",
        side=1024,
        size=8_500_000_000,
        control_size=500_000_000,
    ),
)


def painter(name: SdModel) -> Painter:
    """Return the row of that name."""
    return next(row for row in PAINTERS if row.name == name)


def described() -> str:
    """Return one sentence that lists all models."""
    return "; ".join(f"`{row.name}`: {row.about}" for row in PAINTERS)
