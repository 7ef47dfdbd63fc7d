"""Speed ramping: the memory of a worker at 1080p, for seconds and for hours.

    python -m benchmarks.bench_ramp_memory

Each row is a process of its own, with a worker's environment, and its peak of resident memory. The long clips are the short one over and
over, without encoding it again.
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

from benchmarks.bench_speed_ramp import ffmpeg
from benchmarks.clips import sample_clip
from benchmarks.machine import machine
from shared.worker.slot import HEAPS

out = Console(soft_wrap=True, highlight=False)
SHORT_S, LONG_S, HOURS_S = 10, 600, 7200

WORK = """
import json, resource, sys
from pathlib import Path
from services.speed_ramp.analyze import analyze
from services.speed_ramp.params import AnalyzeParams, RenderParams
from services.speed_ramp.render import render
name, video, params = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
if name == "analyze":
    frames = analyze(AnalyzeParams.model_validate(params), video=video).frames
else:
    frames = render(RenderParams.model_validate(params), video=video, output=Path(sys.argv[4])).frames
print(json.dumps([frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main() -> None:
    """Print the table."""
    out.print(machine())
    made = Table(title="Peak memory of one process, 1920x1080 with two channels of sound")
    made.add_column("work")
    for head in ("clip", "frames", "wall s", "MiB"):
        made.add_column(head, justify="right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once = folder / "once.mp4"
        enlarged = ["-stream_loop", "1", "-i", str(sample_clip()), "-t", str(SHORT_S), "-vf", "scale=1920:1080", "-ac", "2"]
        ffmpeg(*enlarged, "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-c:a", "aac", str(once))
        clips = {seconds: looped(once, seconds, folder) for seconds in (SHORT_S, LONG_S, HOURS_S)}
        slow = [{"t": 0, "speed": 0.5}]
        for work, seconds, params in (
            ("analyze", SHORT_S, {}),
            ("analyze", LONG_S, {}),
            ("analyze", HOURS_S, {"sample_rate": 0.05, "segment_duration": 20}),
            ("render", SHORT_S, {"curve": [{"t": 0, "speed": 8}]}),
            ("render", LONG_S, {"curve": [{"t": 0, "speed": 8}]}),
            ("render", SHORT_S, {"curve": slow, "interpolation": "flow", "duration": 1}),
            ("render", SHORT_S, {"curve": slow, "interpolation": "flow", "duration": 5}),
        ):
            start = time.perf_counter()
            frames, mib = measured(work, clips[seconds], params, folder / "out.mp4")
            made.add_row(f"{work} {json.dumps(params)}", f"{seconds} s", f"{frames}", f"{time.perf_counter() - start:.1f}", f"{mib:.0f}")
    out.print(made)


def looped(once: Path, seconds: int, folder: Path) -> Path:
    """The clip, over and over, until it is `seconds` long."""
    path = folder / f"{seconds}.mp4"
    ffmpeg("-stream_loop", str(seconds // SHORT_S), "-i", str(once), "-t", str(seconds), "-c", "copy", str(path))
    return path


def measured(work: str, video: Path, params: dict[str, object], output: Path) -> tuple[int, float]:
    """How many frames were looked at or written, and the peak of resident memory in MiB."""
    command = [sys.executable, "-c", WORK, work, str(video), json.dumps(params), str(output)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"MALLOC_ARENA_MAX": HEAPS}).stdout
    frames, mib = json.loads(said)
    return int(frames), float(mib)


if __name__ == "__main__":
    main()
