"""Peak memory of each operation by the size of its clip, beside what its declaration expects.

`python -m benchmarks.suite.bench_memory [operation] ...`: the examples, on clips of CLIP_FRAMES frames with a moving square.
"""

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
MIB = 1024**2
SETTINGS = {"CONCURRENCY": "1", "WORKER_IDLE_S": "0", "JOB_MEMORY_BYTES": str(16 * 1024**3), "MAX_PIXELS": str(2**27)}


def main() -> None:
    """Measure and print the table."""
    names = sys.argv[1:]
    operations = [operation for room in ROOMS for operation in room.service.operations if measurable(operation)]
    operations = [operation for operation in operations if not names or operation.name in names]
    table = Table("operation", *(f"{width}x{height}" for width, height in SIZES), title=f"Peak memory in MiB. {machine()}")
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder, "data"), **SETTINGS) as running:
        clips = {size: material(running, Path(folder), *size) for size in SIZES}
        for operation in operations:
            table.add_row(operation.name, *(peak(running, operation, clips[size]) for size in SIZES))
            Console(stderr=True).print(operation.name, *(column._cells[-1] for column in table.columns[1:]))
    Console(width=140).print(table)


def measurable(operation: Operation) -> bool:
    """Return whether an operation reads a video and can run here."""
    return "video" in operation.ports and operation.unavailable(operation.example) is None


def material(running: RunningSuite, folder: Path, width: int, height: int) -> dict[str, Any]:
    """Upload a clip with a moving square and its matte, and draw its plate; return the inputs that operations may take."""
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


def peak(running: RunningSuite, operation: Operation, media: dict[str, Any]) -> str:
    """Run the operation's example and return its peak memory in MiB, or why it failed."""
    inputs: dict[str, Any] = {}
    for name, port in operation.example_inputs.items():
        if port.kind is Kind.VIDEO:
            inputs[name] = media["matte" if port.matte else "video"]
        elif port.kind is Kind.IMAGE:
            inputs[name] = media["picture"]
    params = operation.example.model_dump(mode="json", exclude_defaults=True)
    if "moments" in params:
        params["moments"] = [{"timestamp_s": 1.0, "score": 1.0}]
    answer = running.client.post(
        f"/v1/{operation.service}/{operation.verb}/jobs", json={"inputs": inputs, "params": params, "cache": False}
    )
    if answer.status_code != 202:
        return f"{answer.status_code}"
    job = running.wait(answer.json()["id"], timeout_s=900)
    return f"{job['metrics']['peak_memory_bytes'] / MIB:.0f}" if job["status"] == "succeeded" else str(job["error"]["detail"])[:60]


if __name__ == "__main__":
    main()
