"""Memory of a speed ramp worker at 1080p, for short and long clips.

    python -m benchmarks.speed_ramp.bench_ramp_memory

Each row runs in its own process with a worker's environment and shows its peak resident memory. The long clips repeat the short one
without encoding it again.
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
from shared.worker.processes.environment import HEAPS

out = Console(soft_wrap=True, highlight=False)
SHORT_S, MIDDLE_S, LONG_S, HOURS_S = 10, 100, 600, 7200
FLOW_S = 8.4  # seconds of a clip for interpolation; 250 frames
FAST, SLOW = [{"t": 0, "speed": 8}], [{"t": 0, "speed": 0.5}]

WORK = """
import json, resource, sys
from pathlib import Path
from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.render import RenderParams, render
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
    table = Table(title="Peak memory of one process, 1920x1080, stereo sound unless stated")
    table.add_column("work")
    for head in ("seconds", "frames", "wall s", "MiB"):
        table.add_column(head, justify="right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once, surround = folder / "once.mp4", folder / "surround.mp4"
        enlarged = ["-stream_loop", "1", "-i", str(sample_clip()), "-t", str(SHORT_S), "-vf", "scale=1920:1080", "-c:a", "aac"]
        ffmpeg(*enlarged, "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", str(surround))
        ffmpeg("-i", str(surround), "-c:v", "copy", "-ac", "2", "-c:a", "aac", str(once))
        for source, work, seconds, params in (
            (once, "analyze", SHORT_S, {}),
            (once, "analyze", LONG_S, {}),
            (once, "analyze", HOURS_S, {"sample_rate": 0.05, "segment_duration": 20}),
            (once, "render", SHORT_S, {}),
            (once, "render", LONG_S, {}),
            *((once, "render", seconds, {"interpolation": "blend"}) for seconds in (SHORT_S, MIDDLE_S)),
            *((once, "render", seconds, {"shutter": 0.5}) for seconds in (SHORT_S, MIDDLE_S)),
            *((surround, "render", seconds, {"interpolation": "nearest"}) for seconds in (SHORT_S, MIDDLE_S)),
            (once, "render", FLOW_S, {"interpolation": "flow", "curve": SLOW}),
            # Half of its frames fall between two of the source: ten times as long in a minute.
            (once, "render", 10 * FLOW_S, {"interpolation": "flow", "curve": [{"t": 0, "speed": 2.5}]}),
        ):
            if work == "render":
                params = {"curve": FAST} | params
            clip = looped(source, seconds, folder)
            start = time.perf_counter()
            frames, mib = measured(work, clip, params, folder / "out.mp4")
            sound = ", 5.1" if source == surround else ""
            wall = f"{time.perf_counter() - start:.1f}"
            table.add_row(f"{work} {json.dumps(params)}{sound}", f"{seconds:g}", f"{frames}", wall, f"{mib:.0f}")
    out.print(table)


def looped(once: Path, seconds: float, folder: Path) -> Path:
    """Repeat the clip `once` until the result is `seconds` seconds long."""
    path = folder / "looped.mp4"
    ffmpeg("-stream_loop", str(int(seconds / SHORT_S)), "-i", str(once), "-t", str(seconds), "-c", "copy", str(path))
    return path


def measured(work: str, video: Path, params: dict[str, object], output: Path) -> tuple[int, float]:
    """Run one job in a process.

    Returns the number of frames compared or written, and the peak resident memory in MiB.
    """
    command = [sys.executable, "-c", WORK, work, str(video), json.dumps(params), str(output)]
    output_text = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"MALLOC_ARENA_MAX": HEAPS}).stdout
    frames, mib = json.loads(output_text)
    return int(frames), float(mib)


if __name__ == "__main__":
    main()
