"""Speed of other programs and of our operations, run as commands.

This project grew from AI-Speed-Ramping and video-effects.

    python -m benchmarks.peers.bench_originals [--speed-ramping CLONE] [--effects CLONE] [--auto-editor COMMAND] [rounds, 3 by default]

CLONE is the folder of a clone of ibrahimjspy/AI-Speed-Ramping or of isaacrowntree/video-effects. The programs run as they are, from file to
file, with `ffmpeg` and `ffprobe` of the PATH. video-effects encodes and decodes on an NVIDIA GPU: on another machine, replace `h264_nvenc`
and its options by `libx264 -preset veryfast -qp 20`, and remove `-hwaccel cuda`, in your clone.

COMMAND is the path of `auto-editor` 23.32.1, the newest in Python: `pip install --no-deps auto-editor==23.32.1`, then `pip install
ae-ffmpeg pillow "av<13" "numpy<2"`. It shortens the parts in which little moves, and mixes the sound to stereo. Later packages fetch a
program from GitHub at their first start.

Processes start anew for each run, in turns; medians of processor time and wall time count.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.machine import console, machine
from benchmarks.material.clips import ffmpeg, sample_clip
from benchmarks.turns import Job, turns_table

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
    """Time the other program's command and ours for each operation; print tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--speed-ramping", type=Path)
    parser.add_argument("--effects", type=Path)
    parser.add_argument("--auto-editor", type=Path)
    options, _ = parser.parse_known_args()
    out = console()
    if options.speed_ramping is None and options.effects is None and options.auto_editor is None:
        out.print("Give the path of a clone: see the first lines of this file.")
        return
    out.print(machine())
    with tempfile.TemporaryDirectory() as name:
        for original, ours in commands(Path(name), options.speed_ramping, options.effects, options.auto_editor):
            jobs = [Job(title(original), partial(run, original)), Job(title(ours), partial(run, ours), title(original))]
            out.print(turns_table("From file to file, 720p", jobs, options.rounds, as_fast=True))


def commands(folder: Path, ramping: Path | None, effects: Path | None, auto_editor: Path | None) -> list[tuple[list[str], list[str]]]:
    """List pairs of commands: the other program's, and ours."""
    clip, matte, target = folder / "clip.mp4", folder / "matte.mp4", folder / "made.mp4"
    ffmpeg("-i", str(sample_clip()), "-c", "copy", str(clip))
    moving = "color=black:s=1280x720:r=25:d=5.28[a];color=white:s=240x560:r=25:d=5.28[b];[a][b]overlay=x='400+6*n':y=120:shortest=1"
    ffmpeg("-filter_complex", moving, "-pix_fmt", "yuv420p", str(matte))
    pairs = []
    if ramping is not None:
        original = [sys.executable, "-c", RAMP, str(ramping), str(clip), str(target)]
        pairs.append((original, [*REELWRIGHT, "speed-ramp", "render", str(clip), str(target), "--overwrite"]))
    if auto_editor is not None:
        edit = ["--edit", "motion:threshold=2%", "--silent-speed", "4", "--video-speed", "1"]
        coding = ["--video-codec", "h264", "--extras", "-preset veryfast -qp 20"]
        original = [str(auto_editor), str(clip), *edit, *coding, "--output", str(target), "--no-open", "--quiet"]
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
    words = [Path(word).name for word in command if "/" not in word or word.endswith((".py", "auto-editor"))]
    return " ".join(word for word in words if word not in ("-m", "--overwrite", "--no-open", "--quiet", "--output"))


def run(command: list[str]) -> None:
    """Run a command.

    If the command fails, this program ends with the command's messages.
    """
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ended.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {ended.returncode}:\n{ended.stderr[-2000:]}")


if __name__ == "__main__":
    main()
