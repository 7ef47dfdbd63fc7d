"""Speed and memory of matting and of diffusion models on a GPU.

Matting by device and precision, painting by model and memory limit.

    python -m benchmarks.suite.bench_gpu [matting] [painting]

Matting needs the published RVM (`reelwright models pull rvm-mobilenetv3`). Painting uses random weights in the true sizes, so it needs no
file. Everything runs in one process, in turns.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine
from benchmarks.material.full_size_diffusion import write_control_sd15, write_sd15, write_sdxl
from benchmarks.matting.bench_matting import FRAMES, enlarged
from services.background.diffusion.offload import Need, Plan, plan_for
from services.background.diffusion.pipeline import Painting, Pipeline, _load
from services.background.diffusion.table import PAINTERS_BY_NAME, Painter
from services.matting.matte import MatteParams, matte
from shared.errors import ModelMissing
from shared.models.cache import model_cache
from shared.models.devices.device import choose_device
from shared.models.files import model_files
from shared.settings import Settings, use
from shared.video import read_frames

SIZES = ((1280, 720), (1920, 1080))
ROUNDS = 3
STEPS = 20
LIMITS_GB = (None, 4.0, 2.5, 1.5)
PROMPT = Painting(
    prompt="a harbour at dusk, boats, warm light",
    negative_prompt="people",
    strength=1.0,
    steps=STEPS,
    guidance=7.0,
    seed=1,
    scheduler="unipc",
)


def main() -> None:
    """Print the tables named in the arguments, or all tables."""
    names = sys.argv[1:] or ["matting", "painting"]
    use(Settings())
    device = choose_device()
    print(f"{device.title or device}; {machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        if "matting" in names:
            matting(Path(folder))
        if "painting" in names:
            painting(Path(folder), str(device))


def matting(folder: Path) -> None:
    """Print RVM's speed by device and precision.

    Also prints how much the mattes of the GPU differ from those of the CPU.
    """
    try:
        model_files("rvm-mobilenetv3")
    except ModelMissing as error:
        print(f"matting: not measured. {error.detail}")
        return
    ways = (("cuda", "f16"), ("cuda", "f32"), ("cpu", "auto"))
    columns = " | ".join(f"{device} {precision}, fps" for device, precision in ways)
    print(f"| RVM, whole job of {FRAMES} frames | {columns} |\n|---|{'---|' * len(ways)}")
    for width, height in SIZES:
        clip = enlarged(folder / f"{height}.mp4", width, height)
        seconds: dict[tuple[str, str], list[float]] = {way: [] for way in ways}
        for turn in range(ROUNDS + 1):
            for device, precision in ways:
                if device == "cpu" and turn > 1:  # slow, and it varies little
                    continue
                began = time.perf_counter()
                _matte(clip, folder, device, precision)
                if turn or device == "cpu":  # the first turn opens the network
                    seconds[device, precision].append(time.perf_counter() - began)
        print(f"| {width}x{height} | {' | '.join(f'{FRAMES / np.median(seconds[way]):.1f}' for way in ways)} |", flush=True)
        alphas = {way: _levels(_matte(clip, folder, *way)) for way in ways}
        for way in ways[:2]:
            gap = np.abs(alphas[way] - alphas[ways[2]])
            worst = np.quantile(gap, 0.999)
            print(f"  {way[0]} {way[1]} to cpu: mean {gap.mean():.3f}, 99.9 % of pixels within {worst:.0f} of 255 levels", flush=True)


def _matte(clip: Path, folder: Path, device: str, precision: str) -> Path:
    use(Settings(device=device))
    inputs: dict[str, Any] = dict.fromkeys(("mask", "masks", "plate", "background"))
    outputs = {name: folder / f"{name}-{device}-{precision}.mp4" for name in ("alpha", "composite", "foreground")}
    matte(MatteParams(backend="rvm", precision=precision), video=clip, outputs=outputs, **inputs)
    return outputs["alpha"]


def _levels(alpha: Path) -> Any:
    with read_frames(alpha) as frames:
        return np.stack([frame.luma()[::2, ::2].copy() for frame in frames]).astype(np.float32)


def painting(folder: Path, device: str) -> None:
    """Print seconds and GPU memory per painted picture, by model and memory limit."""
    import torch

    write_sd15(folder / "sd15")
    write_control_sd15(folder / "control")
    write_sdxl(folder / "sdxl")
    print("| model, picture | `max_vram`, GB | loaded | first picture, s | next, s | peak of GPU memory, GB |\n|---|---|---|---|---|---|")
    rows = (("sd15", (512, 512), False), ("sd15", (768, 512), False), ("sd15", (768, 512), True), ("sdxl", (1024, 1024), False))
    for name, size, control in rows:
        row = PAINTERS_BY_NAME[name]
        for limit in LIMITS_GB if name == "sd15" else (None, 10.0, 6.0, 4.0):
            model_cache().drop()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            plan = Plan() if limit is None else plan_for(int(limit * 10**9), _need(row, control))
            began = time.perf_counter()
            pipe = _load(folder / name, folder / "control" if control else None, None, choose_device(), "f16", plan)
            seconds = []
            for _turn in range(3):
                picture(pipe, size, control)
                seconds.append(time.perf_counter() - began)
                began = time.perf_counter()
            peak = torch.cuda.max_memory_reserved() / 1e9
            label = f"{name}{' with depth' if control else ''}, {size[0]}x{size[1]}"
            limit_text = "none" if limit is None else f"{limit:g}"
            print(
                f"| {label} | {limit_text} | {plan.placement} | {seconds[0]:.1f} | {np.median(seconds[1:]):.2f} | {peak:.2f} |", flush=True
            )
            del pipe
    print(f"\n{STEPS} steps each, on {device}.")


def _need(row: Painter, control: bool) -> Need:
    extra = row.control_size if control else 0
    return Need(whole=row.size + extra, largest=row.unet_size + extra, working=row.working)


def picture(pipe: Pipeline, size: tuple[int, int], control: bool) -> None:
    """Inpaint the middle of a gray picture, with a depth ControlNet if `control`."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    depth = np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1)) if control else None
    painted = pipe.run(PROMPT, np.full((height, width, 3), 128, np.uint8), mask, depth, lambda: None)
    if painted.shape != (height, width, 3):
        raise AssertionError(painted.shape)


if __name__ == "__main__":
    main()
