"""Table of schedulers for diffusion steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from shared.choices import OneOf

LCM_STEPS = 50
"""Maximum number of steps with the LCM LoRA. LCM was distilled with a schedule of 50 steps, and diffusers refuses more."""


@dataclass(frozen=True, kw_only=True)
class Scheduler:
    """A diffusion scheduler, as a row of `SCHEDULERS`.

    `kind`: name of the class in diffusers; `options`: arguments that override the model's own configuration.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


SCHEDULERS: tuple[Scheduler, ...] = (
    Scheduler(
        name="dpm++2m-karras",
        label="DPM++ 2M Karras",
        description="good from 20 steps on",
        kind="DPMSolverMultistepScheduler",
        options={"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": True},
    ),
    Scheduler(
        name="dpm++2m",
        label="DPM++ 2M",
        description="like `dpm++2m-karras`, with evenly spaced steps",
        kind="DPMSolverMultistepScheduler",
        options={"algorithm_type": "dpmsolver++", "solver_order": 2},
    ),
    Scheduler(name="unipc", label="UniPC", description="good from 10 steps on", kind="UniPCMultistepScheduler"),
    Scheduler(name="euler", label="Euler", description="plain and soft", kind="EulerDiscreteScheduler"),
    Scheduler(name="ddim", label="DDIM", description="the classic", kind="DDIMScheduler"),
    Scheduler(name="pndm", label="PNDM", description="Stable Diffusion 1.5's own", kind="PNDMScheduler", options={"skip_prk_steps": True}),
    Scheduler(name="lcm", label="LCM", description="4 to 8 steps, only with `lcm`", kind="LCMScheduler"),
)

SCHEDULERS_BY_NAME = {scheduler.name: scheduler for scheduler in SCHEDULERS}

SchedulerName = Annotated[str, OneOf(SCHEDULERS_BY_NAME)]
