"""Parameters that generate and studio share."""

from pydantic import Field

from services.background.diffusion.schedulers import SchedulerName
from services.background.diffusion.schedulers import described as schedulers_described
from services.background.diffusion.table import SdModel
from services.background.diffusion.table import described as painters_described
from shared.operation import Params

MOST_SEED = 2**32 - 1


class PaintParams(Params):
    """How a picture is painted from a description."""

    prompt: str = Field("", max_length=2000, description="Description of the background.")
    negative_prompt: str = Field(
        "people, person, text, watermark, blurry, distorted", max_length=2000, description="What the background must not show."
    )
    strength: float = Field(0.95, gt=0, le=1, description="How far the painting may leave what was there before. 1 ignores it.")
    steps: int = Field(30, ge=1, le=150, description="Diffusion steps. More are finer and slower.")
    guidance: float = Field(7.5, ge=0, le=30, description="How closely the painting follows the prompt.")
    seed: int | None = Field(
        None, ge=0, le=MOST_SEED, description="The same seed gives the same picture on the same device. Empty: a random one."
    )
    scheduler: SchedulerName = Field("dpm++2m-karras", description=f"How steps are taken. {schedulers_described()}.")
    sd_model: SdModel = Field("sd15", description=f"Model that paints. {painters_described()}.")
    lcm: bool = Field(
        False,
        description="Paint in 4 to 8 `steps` with the LCM LoRA of Stable Diffusion 1.5. Use scheduler `lcm` and guidance 1. Needs PEFT.",
    )
    resolution: int = Field(1080, ge=64, le=4320, description="Largest height of the result in pixels. The clip is never enlarged.")
