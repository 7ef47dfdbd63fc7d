"""Memory of `matting.matte` with RVM over a ten-minute clip.

    python -m benchmarks.matting.bench_matting_memory [minutes of the clip]

The job runs in a process of its own with a worker's environment. Its resident memory is read from inside whenever another minute of the
clip is done. The clip repeats a real one of a person without encoding it again.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg, sample_clip
from shared.errors import ModelMissing
from shared.models.files import model_files
from shared.settings import Settings, use
from shared.worker.processes.environment import HEAPS

out = Console(soft_wrap=True, highlight=False)
RATE = 25
SIZE = 320, 180

WORK = """
import json, sys
from pathlib import Path
import psutil
from services.matting.matte import MatteParams, matte
from shared.settings import Settings, use

class Watch:
    minute = 0
    def __call__(self, done, total):
        while done >= (self.minute + 1) * FRAMES:
            self.minute += 1
            print(json.dumps([self.minute, psutil.Process().memory_info().rss]), flush=True)
    def part(self, stage, start, end):
        return lambda done, total: None
    def warn(self, message):
        print(message, file=sys.stderr)

FRAMES = int(sys.argv[3])
folder = Path(sys.argv[2])
use(Settings())
outputs = {name: folder / f"{name}.mp4" for name in ("alpha", "composite", "foreground")}
nothing = dict.fromkeys(("mask", "masks", "plate", "background"))
matte(MatteParams(backend="rvm"), video=Path(sys.argv[1]), outputs=outputs, progress=Watch(), **nothing)
"""


def main() -> None:
    """Print resident memory at each minute of the clip."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    use(Settings())
    try:
        model_files("rvm-mobilenetv3")
    except ModelMissing as error:
        out.print(f"matting: not measured. {error.detail}")
        return
    out.print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        readings = measured(made_clip(folder, minutes), folder)
        spent = time.perf_counter() - began
    table = Table(title=f"RVM MobileNetV3, {SIZE[0]}x{SIZE[1]}, {RATE} fps, {minutes} minutes in {spent:.0f} s")
    for head in ("minute of the clip", "resident memory, MiB"):
        table.add_column(head, justify="right")
    for minute, size in readings:
        table.add_row(str(minute), f"{size / 2**20:.0f}")
    out.print(table)


def made_clip(folder: Path, minutes: int) -> Path:
    """Make a clip of `minutes` minutes by repeating a short clip."""
    once, clip = folder / "once.mp4", folder / "clip.mp4"
    scaled = f"scale={SIZE[0]}:{SIZE[1]}:flags=lanczos,setsar=1"
    coded = ["-an", "-r", str(RATE), "-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]
    ffmpeg("-i", str(sample_clip("carphone_pristine.mp4")), "-vf", scaled, *coded, str(once))
    ffmpeg("-stream_loop", "-1", "-i", str(once), "-t", str(60 * minutes), "-c", "copy", str(clip))
    return clip


def measured(clip: Path, folder: Path) -> list[tuple[int, int]]:
    """Run the job; return pairs (minute of the clip, resident bytes)."""
    command = [sys.executable, "-c", WORK, str(clip), str(folder), str(60 * RATE)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"MALLOC_ARENA_MAX": HEAPS}).stdout
    return [(minute, size) for minute, size in map(json.loads, lines.splitlines())]


if __name__ == "__main__":
    main()
