"""Speed and memory benchmark of motion trails at 1080p with 6 layers.

    python -m benchmarks.effects.bench_trails [seconds of the 1080p clip]

Compares whole jobs with a plain transcode and the naive reference. Jobs run in turns, and the best of three runs counts. The naive
reference runs once, without its first frames, which have no trail yet. Ratios are of wall time. The clip is a real clip, enlarged. Its
camera is taken as still (`camera_model` none) or measured.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.effects.naive_trails import camera_path, naive_trails
from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg, sample_clip, transcode
from benchmarks.turns import processor_s
from services.effects.motion_trails import MotionTrailsParams, held_bytes, motion_trails
from shared.video import VideoInfo, VideoWriter, probe, read_frames
from shared.video.clip.rewrite import frame_size
from shared.video.frames.planes import picture_from
from shared.worker.slot import HEAPS

out = Console(soft_wrap=True, highlight=False)
LAYERS, SPACING, DECAY = 6, 5, 0.7
NAIVE_FRAMES = 8


@dataclass(frozen=True)
class Cost:
    """Wall time and processor time (of this process and its children) in seconds."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Print the tables, in a process with the environment of a worker."""
    if os.environ.get("MALLOC_ARENA_MAX") != HEAPS:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "benchmarks.effects.bench_trails", *sys.argv[1:]],
            os.environ | {"MALLOC_ARENA_MAX": HEAPS},
        )
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3
    out.print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "1080p.mp4"
        # bikes.mp4 begins with a lorry that passes under a still camera; pans and cuts follow.
        scale = "scale=1920:816:flags=lanczos,pad=1920:1080:0:132"
        ffmpeg(
            "-i",
            str(sample_clip("bikes.mp4")),
            "-t",
            str(seconds),
            "-vf",
            scale,
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "18",
            str(clip),
        )
        out.print(speed(clip, Path(folder)))
        out.print(memory(clip, Path(folder)))


def speed(clip: Path, folder: Path) -> Table:
    """Compare motion trails, a transcode and the naive reference in a table.

    The table holds their times.
    """
    frames = frames_of(clip)
    target = folder / "made.mp4"
    variants: list[tuple[str, dict[str, Any]]] = [
        ("normal, camera still", {"ghost": "normal", "mask": False, "camera_model": "none"}),
        ("normal", {"ghost": "normal", "mask": False}),
        ("normal, masked", {"ghost": "normal", "mask": True}),
        ("normal, camera by similarity", {"ghost": "normal", "mask": False, "camera_model": "similarity"}),
        ("glow", {"ghost": "glow", "mask": False}),
        ("shadow", {"ghost": "shadow", "mask": False}),
        ("normal, linear light", {"ghost": "normal", "mask": False, "linear_light": True}),
    ]
    rows = best(
        [
            ("ffmpeg, plain transcode, same encoder settings", lambda: transcode(clip, target, "-movflags", "+faststart")),
            ("only read and written", lambda: copy(clip, target)),
            *((f"motion-trails, {name}", lambda params=params: trails(clip, target, params)) for name, params in variants),
        ]
    )
    floor = rows[0][1]
    styles: tuple[Literal["normal", "glow"], ...] = ("normal", "glow")
    for style in styles:
        rows.append((f"naive reference, {style} ({NAIVE_FRAMES} frames and the first pass, scaled up)", naive(clip, target, style, frames)))
    table = Table(title=f"Motion trails, {LAYERS} layers, {clip.name}: 1920x1080, {frames} frames")
    table.add_column("job")
    for head in ("wall s", "CPU s", "frames/s", "of the transcode", "of the reference"):
        table.add_column(head, justify="right")
    slow = {style: rows[-2 + index][1].wall_s for index, style in enumerate(styles)}
    for name, cost in rows:
        per_naive = slow["glow" if "glow" in name or "shadow" in name else "normal"] / cost.wall_s
        table.add_row(
            name,
            f"{cost.wall_s:.2f}",
            f"{cost.cpu_s:.2f}",
            f"{frames / cost.wall_s:.1f}",
            f"{cost.wall_s / floor.wall_s:.2f}",
            f"{per_naive:.1f}x as fast",
        )
    return table


def memory(clip: Path, folder: Path) -> Table:
    """Return a table of the memory that jobs need beyond plain reading and writing.

    For a clip and for a clip ten times as long.
    """
    long, target = folder / "long.mp4", folder / "made.mp4"
    ffmpeg("-stream_loop", "9", "-i", str(clip), "-c", "copy", str(long))
    info = probe(clip)
    assert isinstance(info, VideoInfo)
    copying = [peak(COPY, path, target) for path in (clip, long)]
    table = Table(title=f"Peak memory of one job, MB; reading and writing alone {copying[0]:.0f} and {copying[1]:.0f}")
    for head in ("job", "held, by the formula", f"{frames_of(clip)} frames", f"{frames_of(long)} frames"):
        table.add_column(head, justify="right")
    for ghost in ("normal", "glow"):
        params = MotionTrailsParams.model_validate({"ghost": ghost, "mask": False})
        peaks = [peak(TRAILS, path, target, ghost) - alone for path, alone in zip((clip, long), copying, strict=True)]
        formula = held_bytes(params, frame_size(info), matte=False) / 1e6
        table.add_row(f"motion-trails, {ghost}, over that", f"{formula:.0f}", *(f"{megabytes:.0f}" for megabytes in peaks))
    return table


TRAILS = (
    "import sys; from pathlib import Path; from benchmarks.effects.bench_trails import copy, trails; "
    "clip, target = map(Path, sys.argv[1:3]); "
    "trails(clip, target, {'ghost': sys.argv[3]})"
)
COPY = TRAILS.partition("trails(clip")[0] + "copy(clip, target)"
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


def naive(clip: Path, target: Path, style: Literal["normal", "glow"], frames: int) -> Cost:
    """Measure the cost of the naive reference for `frames` frames.

    Includes decoding, both passes and encoding, from the first frame with a trail on.
    """
    count = LAYERS * SPACING + 1 + NAIVE_FRAMES
    wall, cpu = time.perf_counter(), processor_s()
    path = camera_path(clip, count=count)
    first = (time.perf_counter() - wall) / count * frames, (processor_s() - cpu) / count * frames
    with VideoWriter(target, width=1920, height=1080, frame_rate=Fraction(25)) as writer:
        for index, rgb in enumerate(naive_trails(clip, path, layers=LAYERS, decay=DECAY, spacing=SPACING, ghost=style, count=count)):
            if index == LAYERS * SPACING:
                wall, cpu = time.perf_counter(), processor_s()
            writer.write(picture_from((rgb,), 1920, 1080, "rgb24"), index)
    scale = frames / NAIVE_FRAMES
    return Cost(first[0] + (time.perf_counter() - wall) * scale, first[1] + (processor_s() - cpu) * scale)


def copy(clip: Path, target: Path) -> None:
    """Read a clip and write it again, without the effect."""
    with (
        read_frames(clip) as frames,
        VideoWriter(target, width=1920, height=1080, frame_rate=Fraction(25), time_base=Fraction(1, 12800)) as writer,
    ):
        for frame in frames:
            writer.write(frame.picture, round(frame.time * 12800))


def frames_of(clip: Path) -> int:
    """Return the number of frames of a clip."""
    info = probe(clip)
    return int(getattr(info, "frames"))  # noqa: B009


def best(works: list[tuple[str, Callable[[], object]]], *, rounds: int = 3) -> list[tuple[str, Cost]]:
    """Run the jobs in turns.

    Returns for each the cost of its fastest run. The turns make other load on the machine affect all jobs.
    """
    least: dict[str, Cost] = {}
    for _ in range(rounds):
        for name, work in works:
            wall, cpu = time.perf_counter(), processor_s()
            work()
            cost = Cost(time.perf_counter() - wall, processor_s() - cpu)
            least[name] = min(cost, least.get(name, cost), key=lambda cost: cost.wall_s)
    return list(least.items())


if __name__ == "__main__":
    main()
