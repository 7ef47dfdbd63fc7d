"""Plans that keep a pipeline within a GPU memory limit.

The pipeline's parts, or their layers, are on the GPU only while they work.
"""

from dataclasses import dataclass
from typing import Any, Literal

STAGES = (("text_encoder", "text_encoder_2"), ("vae",), ("unet", "controlnet"))
"""Parts of a pipeline that work together. UNet and ControlNet take turns in every step, so they stay together."""

Placement = Literal["whole", "parts", "layers"]


@dataclass(frozen=True, kw_only=True)
class Need:
    """GPU memory that a pipeline needs, in bytes.

    `whole`: all weights. `largest`: weights of the largest stage. `working`: memory that a step takes besides the weights.
    """

    whole: int
    largest: int
    working: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Placement of a pipeline's weights that keeps within a memory limit.

    `sliced`: attention is computed in slices, which takes less memory and more time.
    """

    placement: Placement = "whole"
    sliced: bool = False


def plan_for(limit: int | None, need: Need) -> Plan:
    """Choose the fastest plan that fits into `limit` bytes.

    `limit`: None for no limit. If even the largest stage does not fit, the plan is the one with the least memory.
    """
    if limit is None or need.whole + need.working <= limit:
        return Plan()
    if need.largest + need.working <= limit:
        return Plan(placement="parts", sliced=need.largest + 2 * need.working > limit)
    return Plan(placement="layers", sliced=True)


class Parts:
    """A pipeline's parts in stages; one stage at a time is on the GPU.

    A stage is a group of parts that work together. It is loaded when one of its parts is called.
    """

    def __init__(self, pipe: Any, device: str) -> None:
        self._device = device
        self._stages = [{name: part for name in stage if (part := getattr(pipe, name, None)) is not None} for stage in STAGES]
        self._loaded: int | None = None

    def install(self) -> None:
        """Install hooks that load each part's stage before the part runs."""
        from accelerate.hooks import add_hook_to_module

        for number, stage in enumerate(self._stages):
            for part in stage.values():
                part.to("cpu")
                add_hook_to_module(part, _hook(self, number, self._device))

    def enter(self, number: int) -> None:
        """Load stage `number`, and unload the previous stage."""
        if number == self._loaded:
            return
        self.leave()
        for name, part in self._stages[number].items():
            self._load(name, part)
        self._loaded = number

    def leave(self) -> None:
        """Unload the loaded stage."""
        if self._loaded is not None:
            for name, part in self._stages[self._loaded].items():
                self._unload(name, part)
            self._loaded = None
            _free()

    def _load(self, _name: str, part: Any) -> None:
        part.to(self._device)

    def _unload(self, _name: str, part: Any) -> None:
        part.to("cpu")


def place(pipe: Any, plan: Plan, device: str) -> Parts | None:
    """Place a loaded pipeline on a GPU or the CPU, as `plan` says.

    `pipe`: pipeline in the CPU's memory. `device`: where it runs. Returns the loader of its parts if `plan` loads them in stages, else
    None. Call `leave` of the loader after each run.
    """
    if plan.sliced:
        pipe.enable_attention_slicing()
    if plan.placement == "whole":
        pipe.to(device)
        return None
    if plan.placement == "layers":
        from accelerate import cpu_offload

        for name in (name for stage in STAGES for name in stage):
            part = getattr(pipe, name, None)
            if part is not None:
                # As diffusers' `enable_sequential_cpu_offload`, which refuses a pipeline without an accelerator.
                cpu_offload(part, device, offload_buffers=len(part._parameters) > 0)
        return None
    parts = Parts(pipe, device)
    parts.install()
    return parts


def _hook(parts: Parts, number: int, device: str) -> Any:
    from accelerate.hooks import ModelHook
    from accelerate.utils import send_to_device

    class LoadStage(ModelHook):  # type: ignore[misc]
        """Hook that loads a part's stage before the part runs."""

        execution_device = device

        def pre_forward(self, module: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002 accelerate's interface
            parts.enter(number)
            return send_to_device(args, device), send_to_device(kwargs, device)

    return LoadStage()


def _free() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
