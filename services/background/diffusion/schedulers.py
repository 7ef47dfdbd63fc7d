"""Schedulers: one row each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SchedulerName = Literal["dpm++2m-karras", "dpm++2m", "unipc", "euler", "ddim", "pndm", "lcm"]


@dataclass(frozen=True, kw_only=True)
class Scheduler:
    """One way to take steps. `kind`: class of diffusers; `options`: what it gets beside the model's own configuration."""

    name: SchedulerName
    about: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


SCHEDULERS: tuple[Scheduler, ...] = (
    Scheduler(
        name="dpm++2m-karras",
        about="good from 20 steps on",
        kind="DPMSolverMultistepScheduler",
        options={"algorithm_type": "dpmsolver++", "solver_order": 2, "use_karras_sigmas": True},
    ),
    Scheduler(
        name="dpm++2m",
        about="the same with even steps",
        kind="DPMSolverMultistepScheduler",
        options={"algorithm_type": "dpmsolver++", "solver_order": 2},
    ),
    Scheduler(name="unipc", about="good from 10 steps on", kind="UniPCMultistepScheduler"),
    Scheduler(name="euler", about="plain and soft", kind="EulerDiscreteScheduler"),
    Scheduler(name="ddim", about="the classic", kind="DDIMScheduler"),
    Scheduler(name="pndm", about="Stable Diffusion 1.5's own", kind="PNDMScheduler", options={"skip_prk_steps": True}),
    Scheduler(name="lcm", about="4 to 8 steps, only with `lcm`", kind="LCMScheduler"),
)


def scheduler_row(name: SchedulerName) -> Scheduler:
    """Return the row of that name."""
    return next(row for row in SCHEDULERS if row.name == name)


def described() -> str:
    """Return one sentence that lists all schedulers."""
    return "; ".join(f"`{row.name}`: {row.about}" for row in SCHEDULERS)
