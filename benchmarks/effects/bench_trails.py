"""Speed and memory of motion trails with 6 layers.

    python -m benchmarks.effects.bench_trails [rounds, 3 by default] [seconds of each clip, 3 by default] [speed] [memory]

The words choose tables; without them, all are printed. Compares whole jobs, from file to file, with a plain transcode. Jobs run in turns;
medians count. The naive reference, a rewritten algorithm and no program, is timed on NAIVE_FRAMES frames that have a trail, and scaled up.
`benchmarks.peers.bench_originals` runs the original program. The clips are those of `benchmarks.material.clips.CLIP_KINDS`.
"""

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import psutil
from rich.table import Table

from benchmarks.effects.naive_trails import camera_path, naive_trails
from benchmarks.machine import console, machine
from benchmarks.material.clips import clips_of_kinds, ffmpeg, transcode
from benchmarks.turns import Cost, Job, processor_s, turns_table
from services.effects.motion_trails import MotionTrailsParams, held_bytes, motion_trails
from shared.video import VideoInfo, VideoWriter, probe_video, read_frames
from shared.video.clip.rewrite import frame_size
from shared.video.frames.planes import picture_from
from shared.worker.processes.environment import HEAPS

out = console()
TABLES = ["speed", "memory"]
LAYERS, SPACING, DECAY = 6, 5, 0.7
NAIVE_FRAMES = 8
VARIANTS: dict[str, dict[str, Any]] = {
    "normal, not masked, camera still": {"ghost": "normal", "mask": False, "camera_model": "none"},
    "normal, not masked": {"ghost": "normal", "mask": False},
    "normal": {"ghost": "normal"},
    "normal, not masked, camera by similarity": {"ghost": "normal", "mask": False, "camera_model": "similarity"},
    "glow": {"ghost": "glow"},
    "glow, not masked": {"ghost": "glow", "mask": False},
    "shadow, not masked": {"ghost": "shadow", "mask": False},
    "normal, not masked, linear light": {"ghost": "normal", "mask": False, "linear_light": True},
}


def main() -> None:
    """Print the tables, in a process with the environment of a worker."""
    if os.environ.get("MALLOC_ARENA_MAX") != HEAPS:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "benchmarks.effects.bench_trails", *sys.argv[1:]],
            os.environ | {"MALLOC_ARENA_MAX": HEAPS},
        )
    numbers = [word for word in sys.argv[1:] if word not in TABLES]
    chosen = [word for word in sys.argv[1:] if word in TABLES] or TABLES
    rounds = int(numbers[0]) if numbers else 3
    seconds = float(numbers[1]) if len(numbers) > 1 else 3
    out.print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = clips_of_kinds(folder, seconds)
        for kind, clip in clips.items() if "speed" in chosen else ():
            info = probe_video(clip)
            title = f"Motion trails, {LAYERS} layers, {kind}, {info.frames} frames"
            out.print(turns_table(title, jobs(clip, info, folder / "made.mp4"), rounds, frames=info.frames))
        if "memory" in chosen:
            out.print(memory(clips["1080p, B-frames"], folder))


def jobs(clip: Path, info: VideoInfo, target: Path) -> list[Job]:
    """List the jobs to time: a transcode, motion trails, the naive reference."""
    plain = "ffmpeg, transcode, same encoder settings"
    styles: tuple[Literal["normal", "glow"], ...] = ("normal", "glow")
    naive_title = f"naive reference, {NAIVE_FRAMES} frames scaled up,"
    return [
        Job(plain, lambda: transcode(clip, target, "-movflags", "+faststart")),
        Job("inner step: only read and written", lambda: copy(clip, info, target), plain),
        *(Job(f"effects.motion-trails, {name}", partial(trails, clip, target, params), plain) for name, params in VARIANTS.items()),
        *(Job(f"{naive_title} {style}", partial(naive, clip, info, target, style), plain) for style in styles),
    ]


def memory(clip: Path, folder: Path) -> Table:
    """Return a table of the memory that jobs need beyond plain reading and writing.

    It is measured for a clip and for a clip ten times as long.
    """
    long, target = folder / "long.mp4", folder / "made.mp4"
    ffmpeg("-stream_loop", "9", "-i", str(clip), "-c", "copy", str(long))
    info, frames = probe_video(clip), [probe_video(path).frames for path in (clip, long)]
    copying = [peak(COPY, path, target) for path in (clip, long)]
    table = Table(title=f"Peak memory of one job, MB; reading and writing alone {copying[0]:.0f} and {copying[1]:.0f}")
    for head in ("job", "held, by the formula", *(f"{count} frames" for count in frames)):
        table.add_column(head, justify="right")
    for ghost in ("normal", "glow"):
        params = MotionTrailsParams.model_validate({"ghost": ghost, "mask": False})
        peaks = [peak(TRAILS, path, target, ghost) - alone for path, alone in zip((clip, long), copying, strict=True)]
        formula = held_bytes(params, frame_size(info), matte=False) / 1e6
        table.add_row(f"motion-trails, {ghost}, over that", f"{formula:.0f}", *(f"{megabytes:.0f}" for megabytes in peaks))
    return table


TRAILS = (
    "import sys; from pathlib import Path; from benchmarks.effects.bench_trails import copy, probe_video, trails; "
    "clip, target = map(Path, sys.argv[1:3]); "
    "trails(clip, target, {'ghost': sys.argv[3]})"
)
COPY = TRAILS.partition("trails(clip")[0] + "copy(clip, probe_video(clip), target)"
"""Program that reads and writes a clip without the effect."""


def peak(program: str, *words: object) -> float:
    """Run a Python program; return its peak memory in MB.

    The program runs with the environment of a worker.
    """
    command = [sys.executable, "-c", program, *map(str, words)]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"MALLOC_ARENA_MAX": HEAPS})
    highest, ended = [0], Event()

    def watch() -> None:
        while not ended.wait(0.05):
            try:
                highest[0] = max(highest[0], process.memory_info().rss)
            except psutil.NoSuchProcess:
                return

    watcher = Thread(target=watch)
    watcher.start()
    try:
        code = process.wait()
    finally:
        ended.set()
        watcher.join()
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}")
    return highest[0] / 1e6


def trails(clip: Path, target: Path, params: dict[str, Any]) -> None:
    """Run one motion trails job."""
    job = MotionTrailsParams.model_validate({"layers": LAYERS, "spacing": SPACING, "decay": DECAY} | params)
    motion_trails(job, video=clip, matte=None, output=target)


def naive(clip: Path, info: VideoInfo, target: Path, style: Literal["normal", "glow"]) -> Cost:
    """Measure the cost of the naive reference for all frames of a clip.

    Includes decoding, both passes and encoding, from the first frame with a trail on.
    """
    count = LAYERS * SPACING + 1 + NAIVE_FRAMES
    wall, cpu = time.perf_counter(), processor_s()
    path = camera_path(clip, count=count)
    first = (time.perf_counter() - wall) / count * info.frames, (processor_s() - cpu) / count * info.frames
    with VideoWriter(target, width=info.width, height=info.height, frame_rate=info.rate) as writer:
        for index, rgb in enumerate(naive_trails(clip, path, layers=LAYERS, decay=DECAY, spacing=SPACING, ghost=style, count=count)):
            if index == LAYERS * SPACING:
                wall, cpu = time.perf_counter(), processor_s()
            writer.write(picture_from((rgb,), info.width, info.height, "rgb24"), index)
    scale = info.frames / NAIVE_FRAMES
    return Cost(first[0] + (time.perf_counter() - wall) * scale, first[1] + (processor_s() - cpu) * scale)


def copy(clip: Path, info: VideoInfo, target: Path) -> None:
    """Read a clip and write it again, without the effect."""
    with read_frames(clip) as frames:
        first = next(frames)
        size = {"width": info.width, "height": info.height}
        with VideoWriter(target, **size, frame_rate=info.rate, time_base=first.time_base) as writer:
            writer.write(first.picture, first.pts)
            for frame in frames:
                writer.write(frame.picture, frame.pts)


if __name__ == "__main__":
    main()
