"""Speed of the original programs and of our operations, run as commands.

This project grew from the original programs.

    python -m benchmarks.peers.bench_originals [--speed-ramping CHECKOUT] [--effects CHECKOUT] [rounds, 3 by default]

CHECKOUT is a clone of ibrahimjspy/AI-Speed-Ramping or of isaacrowntree/video-effects. The programs run as they are, from file to file, with
`ffmpeg` and `ffprobe` of the PATH. video-effects encodes and decodes on an NVIDIA GPU: on another machine, replace `h264_nvenc` and its
options by `libx264 -qp 20`, and remove `-hwaccel cuda`, in your clone. Processes start anew for each run, in turns; medians of processor
time and wall time count.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg, sample_clip

REELWRIGHT = [sys.executable, "-m", "reelwright"]
RAMP = """
import sys
sys.path.insert(0, sys.argv[1])
from processing.analyzer import analyze_motion_and_map_speeds
from processing.ffmpeg_utils import generate_speed_ramped_video
speeds = analyze_motion_and_map_speeds(sys.argv[2], 0.5, 0.5, 2.0)
generate_speed_ramped_video(sys.argv[2], sys.argv[3], speeds, 0.5)
"""


def main() -> None:
    """Print a table with two rows per operation."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--speed-ramping", type=Path)
    parser.add_argument("--effects", type=Path)
    options, _ = parser.parse_known_args()
    if options.speed_ramping is None and options.effects is None:
        Console().print("Give the path of a clone: see the first lines of this file.")
        return
    table = Table(
        title=f"Commands from file to file, 720p, medians of {options.rounds} rounds in turns; {machine()}; load {os.getloadavg()[0]:.0f}"
    )
    table.add_column("command", no_wrap=True)
    for head in ("wall s", "processor s", "as fast, wall", "as fast, processor"):
        table.add_column(head, justify="right", no_wrap=True)
    with tempfile.TemporaryDirectory() as name:
        try:
            for original, ours in commands(Path(name), options.speed_ramping, options.effects):
                add_rows(table, original, ours, options.rounds)
        finally:
            # Rows that are done are printed, too, if a later command fails.
            Console(soft_wrap=True).print(table)


def add_rows(table: Table, original: list[str], ours: list[str], rounds: int) -> None:
    """Time two commands in turns and add a row for each."""
    runs = [[timed(command) for command in (original, ours)] for _ in range(rounds)]
    theirs, own_figures = (
        [statistics.median(run[command_number][figure] for run in runs) for figure in (0, 1)] for command_number in (0, 1)
    )
    table.add_row(title(original), *(f"{seconds:.1f}" for seconds in theirs), "", "")
    table.add_row(
        title(ours), *(f"{seconds:.1f}" for seconds in own_figures), *(f"{a / b:.1f}x" for a, b in zip(theirs, own_figures, strict=True))
    )


def commands(folder: Path, ramping: Path | None, effects: Path | None) -> list[tuple[list[str], list[str]]]:
    """List pairs of commands for one clip: the original program's, and ours."""
    clip, matte, target = folder / "clip.mp4", folder / "matte.mp4", folder / "made.mp4"
    ffmpeg("-i", str(sample_clip()), "-c", "copy", str(clip))
    moving = "color=black:s=1280x720:r=25:d=5.28[a];color=white:s=240x560:r=25:d=5.28[b];[a][b]overlay=x='400+6*n':y=120:shortest=1"
    ffmpeg("-filter_complex", moving, "-pix_fmt", "yuv420p", str(matte))
    pairs = []
    if ramping is not None:
        original = [sys.executable, "-c", RAMP, str(ramping), str(clip), str(target)]
        pairs.append((original, [*REELWRIGHT, "speed-ramp", "render", str(clip), str(target), "--overwrite"]))
    if effects is not None:
        for ghost in ("glow", "normal"):
            original = [sys.executable, str(effects / "motion_blur_flow.py"), str(clip), str(target), f"--ghost={ghost}", "--mask"]
            pairs.append((original, [*REELWRIGHT, "effects", "motion-trails", str(clip), str(target), "--ghost", ghost, "--overwrite"]))
        program = [sys.executable, str(effects / "bg_generate.py")]
        picture = folder / "plate.png"
        original = [*program, "plate", str(clip), str(matte), str(picture), "--inpaint=opencv"]
        pairs.append((original, [*REELWRIGHT, "background", "plate", str(clip), str(matte), str(folder / "plate"), "--overwrite"]))
        original = [*program, "composite", str(clip), str(matte), str(target), f"--bg={picture}"]
        ours = [*REELWRIGHT, "background", "composite", str(clip), str(matte), str(target), f"--background={picture}", "--overwrite"]
        pairs.append((original, ours))
    return pairs


def title(command: list[str]) -> str:
    """Return a short title of a command: its program and arguments."""
    if command[1] == "-c":
        return "AI-Speed-Ramping"
    words = [Path(word).name for word in command[1:] if "/" not in word or word.endswith(".py")]
    return " ".join(word for word in words if word not in ("-m", "--overwrite"))


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command; return its wall and processor seconds, children included."""
    wall, before = time.perf_counter(), psutil.Process().cpu_times()
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {run.returncode}:\n{run.stderr[-2000:]}")
    after = psutil.Process().cpu_times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - wall, float(used)


if __name__ == "__main__":
    main()
