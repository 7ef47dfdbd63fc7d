"""Stable Diffusion inpainting pipelines, loaded from local files.

A loaded pipeline is kept for the next job.
"""

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.background.diffusion.offload import Need, Parts, Plan, place, plan_for
from services.background.diffusion.schedulers import SCHEDULERS_BY_NAME, SchedulerName
from services.background.diffusion.table import Painter
from shared.errors import Unavailable
from shared.models.cache import loaded, model_cache
from shared.models.devices.device import CPU, Device, torch_device
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.devices.precision import has_bf16
from shared.models.files import model_files
from shared.operation import Progress

RGB = NDArray[np.uint8]
Step = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Painting:
    """Settings of one painting: prompt, seed, steps and strengths.

    `steps`: number of steps at strength 1. Lower strengths take proportionally fewer.
    """

    prompt: str
    negative_prompt: str
    strength: float
    steps: int
    guidance: float
    seed: int
    scheduler: SchedulerName


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """A loaded inpainting pipeline.

    `control`: whether the pipeline also takes a depth picture. `parts`: loader of the parts, one after the other; None if the pipeline is
    loaded as a whole, or layer by layer. `scheduling`: configuration of the model's own scheduler.
    """

    pipe: Any
    control: bool
    device: str
    precision: str
    parts: Parts | None = None
    scheduling: Any = None

    def run(
        self,
        painting: Painting,
        picture: RGB,
        mask: NDArray[np.uint8],
        depth: NDArray[np.uint8] | None,
        on_step: Step,
        on_first_step: Step = lambda: None,
    ) -> RGB:
        """Paint the masked part of a picture.

        `picture`: uint8 (height, width, 3); `mask` (255 where to paint) and `depth` (near is white): uint8 (height, width). Height and
        width are multiples of 8.
        `on_first_step` is called when the first step begins, after the encoders; `on_step` after each step. An exception from them ends the
        run. At least one step runs. Noise is made on the CPU, so the results of two devices differ by rounding only.
        """
        import diffusers
        import torch
        from PIL import Image

        row = SCHEDULERS_BY_NAME[painting.scheduler]
        # The pipeline is kept between jobs. Its present scheduler has the options of the last job, so it is not a base for the new one.
        self.pipe.scheduler = getattr(diffusers, row.kind).from_config(self.scheduling, **row.options)

        def after_step(_pipe: Any, _step: int, _timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            on_step()
            return values

        height, width = mask.shape
        control = {"control_image": Image.fromarray(np.repeat(depth[..., None], 3, axis=2), "RGB")} if depth is not None else {}
        # The ControlNet, where there is one, is the first network of a step.
        network = self.pipe.controlnet if self.control else self.pipe.unet

        def before_first_step(*_: Any) -> None:
            before_network.remove()
            on_first_step()

        before_network = network.register_forward_pre_hook(before_first_step)
        try:
            result = self.pipe(
                prompt=painting.prompt,
                negative_prompt=painting.negative_prompt or None,
                image=Image.fromarray(picture, "RGB"),
                mask_image=Image.fromarray(mask, "L"),
                width=width,
                height=height,
                strength=_strength(painting),
                num_inference_steps=painting.steps,
                guidance_scale=painting.guidance,
                generator=torch.Generator("cpu").manual_seed(painting.seed),
                callback_on_step_end=after_step,
                **control,
            )
        finally:
            before_network.remove()
            if self.parts is not None:
                self.parts.leave()
        return np.asarray(result.images[0].convert("RGB"), np.uint8)


def _strength(painting: Painting) -> float:
    """Return the painting's strength, at least enough for one diffusion step.

    Diffusers runs int(steps * strength) of the steps.
    """
    if int(painting.steps * painting.strength) >= 1:
        return painting.strength
    return min((1 + 1e-9) / painting.steps, 1.0)


@contextmanager
def pipeline(
    row: Painter, progress: Progress, *, control: bool = False, lcm: bool = False, max_vram: float | None = None
) -> Iterator[Pipeline]:
    """Load a model's pipeline, and hold it while the `with` block runs.

    `control`: whether to load the depth ControlNet too. `lcm`: whether to load the LCM LoRA too. The precision is fp16 on a GPU; on the CPU
    bf16 if the processor has it, else f32. `max_vram`: GPU memory to plan for, in gigabytes. Idle models then leave the GPU, and a pipeline
    that does not fit as a whole is loaded in parts or layers. Raises ModelMissing, ModelDamaged, and Unavailable if the LoRA needs PEFT.
    """
    if lcm and importlib.util.find_spec("peft") is None:
        raise Unavailable("The LCM LoRA needs PEFT. Run: pip install peft, or turn `lcm` off.")
    folder = model_files(row.model, progress)["model_index.json"].parent
    control_folder = model_files(row.control, progress)["config.json"].parent if control else None
    lora = next(iter(model_files(row.lcm, progress).values())) if lcm else None
    device = torch_device()
    precision = "f16" if device.kind == "cuda" else "bf16" if has_bf16() else "f32"
    size = (row.size + (row.control_size if control else 0)) * (2 if precision == "f32" else 1)
    plan = _plan(row, device, control=control, max_vram=max_vram)

    def load() -> Pipeline:
        progress.part("loading the model", 0, 0)(0, 1)
        return _load(folder, control_folder, lora, device, precision, plan)

    key = (row.model, control, lcm, str(device), precision, plan)
    if plan.placement != "whole":
        slower = "loads each of its parts" if plan.placement == "parts" else "loads each of its layers"
        progress.warn(f"To stay within {max_vram:g} GB of GPU memory, {row.name} {slower} only while in use, which is slower.")
    # Parts and layers that are not in use stay in the CPU's memory.
    held = device if plan.placement == "whole" else CPU
    with hold_gpu(device, progress):
        if max_vram is not None and key not in model_cache().keys:
            model_cache().drop(device)
        with loaded(key, load, size=size, device=held) as ready:
            yield ready


def _plan(row: Painter, device: Device, *, control: bool, max_vram: float | None) -> Plan:
    """Return the plan that keeps a model within `max_vram`.

    `max_vram`: gigabytes of a GPU. The CPU has no such limit.
    """
    if device.kind != "cuda" or max_vram is None:
        return Plan()
    extra = row.control_size if control else 0
    return plan_for(int(max_vram * 10**9), Need(whole=row.size + extra, largest=row.unet_size + extra, working=row.working))


def _load(folder: Path, control: Path | None, lora: Path | None, device: Device, precision: str, plan: Plan) -> Pipeline:
    import diffusers
    import torch

    # `from_pretrained` of diffusers has no types.
    pipelines: Any = diffusers.AutoPipelineForInpainting
    unets: Any = diffusers.UNet2DConditionModel
    controls: Any = diffusers.ControlNetModel
    dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[precision]
    # The published repositories have safetensors for fp16 only; without these options diffusers falls back to pickles.
    common: dict[str, Any] = {"dtype": dtype, "variant": "fp16", "use_safetensors": True, "local_files_only": True}
    # While a network is loaded, its file is in memory too. The largest network is loaded first, when no other takes memory.
    parts: dict[str, Any] = {"unet": unets.from_pretrained(folder / "unet", **common)}
    if control is not None:
        parts["controlnet"] = controls.from_pretrained(control, **common)
    if "StableDiffusionXL" not in (folder / "model_index.json").read_text():
        parts |= {"safety_checker": None, "requires_safety_checker": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        pipe = pipelines.from_pretrained(folder, **common, **parts)
    if lora is not None:
        pipe.load_lora_weights(lora.parent, weight_name=lora.name, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    pipe.vae.enable_tiling()
    return Pipeline(pipe, control is not None, str(device), precision, place(pipe, plan, str(device)), pipe.scheduler.config)
