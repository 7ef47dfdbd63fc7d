"""Peak memory of each operation beside its declared memory.

`python -m benchmarks.suite.bench_memory [operation] ... [WIDTHxHEIGHT WIDTHxHEIGHT]`: the examples and CASES, on clips of CLIP_FRAMES
frames with a moving square. REELWRIGHT_MODELS_DIR names the folder of the networks. "Base" and bytes per pixel are those of the line
through the two measured points.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg
from reelwright import ROOMS
from shared.operation import Kind, Operation
from shared.testing import RunningSuite, suite

SIZES = ((1280, 720), (3840, 2160))
CLIP_FRAMES = 40
"""More than the encoder looks ahead at."""
MIB = 1024**2
SETTINGS = {"CONCURRENCY": "1", "WORKER_IDLE_S": "0", "JOB_MEMORY_BYTES": str(16 * 1024**3), "MAX_PIXELS": str(2**27)}
CASES: dict[str, tuple[dict[str, Any], ...]] = {
    "background.composite": ({"format": "prores"}, {"match": 0.8, "light_wrap": 0.4, "shadow": "contact"}),
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
"""Parameters that are measured besides the example of an operation."""


def main() -> None:
    """Measure and print the table."""
    sizes = tuple((int(size[1]), int(size[2])) for text in sys.argv[1:] if (size := re.fullmatch(r"(\d+)x(\d+)", text))) or SIZES
    names = [text for text in sys.argv[1:] if "." in text]
    operations = [operation for room in ROOMS for operation in room.service.operations]
    columns = ("operation", "params", *(f"{width}x{height}" for width, height in sizes), "base", "bytes per pixel", "declared")
    table = Table(*columns, title=f"Peak memory in MiB. {machine()}")
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder, "data"), **SETTINGS, **_models()) as running:
        clips = {size: material(running, Path(folder), *size) for size in sizes}
        for operation in operations:
            if names and operation.name not in names:
                continue
            for params in ({}, *CASES.get(operation.name, ())):
                row = measured_row(running, operation, params, clips)
                if row is not None:
                    table.add_row(*row)
                    Console(stderr=True, width=160).print(*row)
    Console(width=160).print(table)


def _models() -> dict[str, str]:
    folder = os.environ.get("REELWRIGHT_MODELS_DIR")
    return {"MODELS_DIR": folder} if folder else {}


def measured_row(
    running: RunningSuite, operation: Operation, params: dict[str, Any], clips: dict[tuple[int, int], dict[str, Any]]
) -> list[str] | None:
    """Measure one operation with `params` over its example.

    None if it reads no video or lacks a model.
    """
    merged = operation.example.model_dump(mode="json", exclude_defaults=True) | params
    declared = operation.bytes_per_pixel(operation.params.model_validate(merged))
    if "video" not in operation.ports or operation.unavailable(operation.params.model_validate(merged)) is not None:
        return None
    peaks = [peak(running, operation, merged, media) for media in clips.values()]
    cells = [f"{value / MIB:.0f}" if isinstance(value, int) else value for value in peaks]
    base, slope = "", ""
    if len(peaks) == 2 and all(isinstance(value, int) for value in peaks):
        (small, large), (first, last) = (width * height for width, height in clips), peaks
        per_pixel = (int(last) - int(first)) / (large - small)
        base, slope = f"{(int(first) - per_pixel * small) / MIB:.0f}", f"{per_pixel:.0f}"
    return [operation.name, json.dumps(params) if params else "example", *cells, base, slope, f"{declared:.0f}"]


def material(running: RunningSuite, folder: Path, width: int, height: int) -> dict[str, Any]:
    """Upload a clip with a moving square, its matte and its plate.

    Returns the inputs that operations may take.
    """
    side, length = height // 3, CLIP_FRAMES / 30
    square = f"[0][1]overlay=x='(W-w)*t/{length}':y=H/3:shortest=1"
    white = f"color=white:s={side}x{side}:r=30:d={length}"
    encode = ("-frames:v", str(CLIP_FRAMES), "-pix_fmt", "yuv420p", "-preset", "ultrafast")
    plate = f"testsrc2=s={width}x{height}:r=30:d={length},trim=end_frame=1,loop=-1:1,setpts=N/30/TB,trim=duration={length}"
    ids = {}
    for name, ground in (("video", plate), ("matte", f"color=black:s={width}x{height}:r=30:d={length}")):
        path = folder / f"{name}-{width}.mp4"
        ffmpeg("-f", "lavfi", "-i", ground, "-f", "lavfi", "-i", white, "-filter_complex", square, *encode, str(path))
        ids[name] = running.upload(path)["id"]
    picture = folder / f"plate-{width}.png"
    ffmpeg("-f", "lavfi", "-i", plate, "-frames:v", "1", str(picture))
    return ids | {"picture": running.upload(picture)["id"]}


def peak(running: RunningSuite, operation: Operation, params: dict[str, Any], media: dict[str, Any]) -> int | str:
    """Run an operation and return its peak memory in bytes.

    If it fails, the reason is returned.
    """
    inputs: dict[str, Any] = {}
    for name, port in operation.example_inputs.items():
        if port.kind is Kind.VIDEO:
            inputs[name] = media["matte" if port.matte else "video"]
        elif port.kind is Kind.IMAGE:
            inputs[name] = media["picture"]
    if params.get("backend") == "difference":
        inputs["plate"] = media["picture"]
    if "moments" in params:
        params = params | {"moments": [{"timestamp_s": 1.0, "score": 1.0}]}
    answer = running.client.post(
        f"/v1/{operation.service}/{operation.verb}/jobs", json={"inputs": inputs, "params": params, "cache": False}
    )
    if answer.status_code != 202:
        return f"{answer.status_code}: {str(answer.json().get('detail'))[:60]}"
    job = running.wait(answer.json()["id"], timeout_s=1800)
    return int(job["metrics"]["peak_memory_bytes"]) if job["status"] == "succeeded" else str(job["error"]["detail"])[:60]


if __name__ == "__main__":
    main()
