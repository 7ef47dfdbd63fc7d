"""Peak memory of each operation, beside its declared memory.

`python -m benchmarks.suite.bench_memory [operation] ... [WIDTHxHEIGHT WIDTHxHEIGHT]`: the examples and CASES, on clips of CLIP_FRAMES
frames with a moving square. Each runs in a process of its own; the largest program that it starts counts, too. REELWRIGHT_MODELS_DIR names
the folder of the networks; `benchmarks.material.full_size_diffusion` writes those of painting. "Base" and bytes per pixel are those of the
line through the two measured points.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg
from reelwright import ROOMS  # type: ignore[attr-defined]  # the stubs describe the client only
from shared.operation import Kind, Operation, Silent
from shared.settings import Settings, use
from shared.worker.operation_run import OperationCall, perform

SIZES = ((1280, 720), (3840, 2160))
CLIP_FRAMES = 40
"""Number of frames of the clip. More than the encoder's look-ahead, which holds frames in memory."""
MIB = 1024**2
SETTINGS = {"REELWRIGHT_JOB_MEMORY_BYTES": str(16 * 1024**3), "REELWRIGHT_MAX_PIXELS": str(2**27), "MALLOC_ARENA_MAX": "2"}
CASES: dict[str, tuple[dict[str, Any], ...]] = {
    "background.composite": ({"format": "prores"}, {"match": 0.8, "light_wrap": 0.4, "shadow": "contact"}),
    "background.generate": ({"steps": 1, "strength": 1.0},),
    "background.studio": ({"depth": "plane", "resolution": 2160},),
    "effects.motion-trails": ({"ghost": "glow"}, {"ghost": "normal", "mask": False}),
    "matting.matte": (
        {"backend": "rvm"},
        {"backend": "u2netp"},
        {"backend": "chroma", "composite_over": "checkerboard", "foreground": "straight"},
        {"backend": "chroma", "alpha_format": "prores"},
        {"backend": "difference"},
    ),
    "speed-ramp.render": ({"speeds": [0.5], "interpolation": "flow"}, {"speeds": [4.0], "audio": "drop"}),
}
"""Operation -> params of further runs. The operation's declared example is always measured."""


def main() -> None:
    """Measure and print the table."""
    if sys.argv[1:2] == ["--one"]:
        print(peak_of(OperationCall(**json.loads(sys.argv[2]))))
        return
    use(Settings())
    sizes = tuple((int(size[1]), int(size[2])) for text in sys.argv[1:] if (size := re.fullmatch(r"(\d+)x(\d+)", text))) or SIZES
    names = [text for text in sys.argv[1:] if "." in text]
    columns = ("operation", "params", *(f"{width}x{height}" for width, height in sizes), "base", "bytes per pixel", "declared")
    table = Table(*columns, title=f"Peak memory in MiB. {machine()}")
    with tempfile.TemporaryDirectory() as folder:
        files = {size: material(Path(folder), *size) for size in sizes}
        for service in (room.service for room in ROOMS):
            for operation in service.operations:
                if names and operation.name not in names:
                    continue
                for params in ({}, *CASES.get(operation.name, ())):
                    row = measured_row(service.module, operation, params, files)
                    if row is not None:
                        table.add_row(*row)
                        Console(stderr=True, width=180).print(*row)
    Console(width=180).print(table)


def measured_row(
    module: str, operation: Operation, params: dict[str, Any], files: dict[tuple[int, int], dict[str, Path]]
) -> list[str] | None:
    """Measure one operation; return its table row.

    None if it reads no video or lacks a model.
    """
    merged = operation.example.model_dump(mode="json", exclude_defaults=True) | params
    valid = operation.params.model_validate(merged)
    if "video" not in operation.ports or operation.unavailable(valid) is not None:
        return None
    peaks = [measured(module, operation, merged, media) for media in files.values()]
    cells = [f"{value / MIB:.0f}" if isinstance(value, int) else value for value in peaks]
    base, slope = "", ""
    if len(peaks) == 2 and all(isinstance(value, int) for value in peaks):
        (small, large), (first, last) = (width * height for width, height in files), peaks
        per_pixel = (int(last) - int(first)) / (large - small)
        base, slope = f"{(int(first) - per_pixel * small) / MIB:.0f}", f"{per_pixel:.0f}"
    return [operation.name, json.dumps(params) if params else "example", *cells, base, slope, f"{operation.bytes_per_pixel(valid):.0f}"]


def measured(module: str, operation: Operation, params: dict[str, Any], media: dict[str, Path]) -> int | str:
    """Run an operation in a child process.

    Returns its peak bytes or its error.
    """
    inputs: dict[str, Any] = dict.fromkeys(operation.ports)
    for name, port in operation.example_inputs.items():
        if port.kind in (Kind.VIDEO, Kind.IMAGE):
            inputs[name] = str(media["matte" if port.role == "matte" else "video" if port.kind is Kind.VIDEO else "picture"])
            inputs[name] = [inputs[name]] if port.many else inputs[name]
    if params.get("backend") == "difference":
        inputs["plate"] = str(media["picture"])
    if "moments" in params:
        params = params | {"moments": [{"timestamp_s": 1.0, "score": 1.0}]}
    with tempfile.TemporaryDirectory() as folder:
        measurements = str(Path(folder, "measurements")) if operation.measurement else None
        call = OperationCall(
            module=module, operation=operation.name, params=params, inputs=inputs, folder=folder, measurements=measurements
        )
        command = [sys.executable, "-m", "benchmarks.suite.bench_memory", "--one", json.dumps(vars(call))]
        done = subprocess.run(command, env=os.environ | SETTINGS, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) if done.returncode == 0 else done.stderr.strip().splitlines()[-1][:90]


def peak_of(call: OperationCall) -> int:
    """Run an operation in this process; return its peak bytes, child processes included.

    Its programs are child processes, such as ffmpeg; only the largest counts.
    """
    use(Settings())
    perform(call, Silent())
    return 1024 * sum(resource.getrusage(scope).ru_maxrss for scope in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def material(folder: Path, width: int, height: int) -> dict[str, Path]:
    """Draw a moving square's clip, matte and plate; return their paths."""
    side, length = height // 3, CLIP_FRAMES / 30
    square = f"[0][1]overlay=x='(W-w)*t/{length}':y=H/3:shortest=1"
    white = f"color=white:s={side}x{side}:r=30:d={length}"
    encode = ("-frames:v", str(CLIP_FRAMES), "-pix_fmt", "yuv420p", "-preset", "ultrafast")
    plate = f"testsrc2=s={width}x{height}:r=30:d={length},trim=end_frame=1,loop=-1:1,setpts=N/30/TB,trim=duration={length}"
    paths = {}
    for name, ground in (("video", plate), ("matte", f"color=black:s={width}x{height}:r=30:d={length}")):
        paths[name] = folder / f"{name}-{width}.mp4"
        ffmpeg("-f", "lavfi", "-i", ground, "-f", "lavfi", "-i", white, "-filter_complex", square, *encode, str(paths[name]))
    paths["picture"] = folder / f"plate-{width}.png"
    ffmpeg("-f", "lavfi", "-i", plate, "-frames:v", "1", str(paths["picture"]))
    return paths


if __name__ == "__main__":
    main()
