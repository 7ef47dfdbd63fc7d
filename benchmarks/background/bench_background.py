"""Speed and memory benchmark of plates and composites at 1080p.

A plate is a picture of the clip's background without the subject. The original program is the one that the service grew from.

    python -m benchmarks.background.bench_background [seconds of the 1080p clip] [--studio]

`--studio` prints the table of the studio only. Jobs run in turns, and the best of three runs counts. The clip is a real clip, enlarged. Its
matte is a drawn, moving ellipse of the size of a person, because the time of a composite depends on the length of the matte's edge, not on
the subject.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg, sample_clip, transcode
from benchmarks.turns import lowest_costs, processor_s
from services.background import studio as studio_operation
from services.background.analysis.analyze import analyze
from services.background.composite import CompositeParams, composite
from services.background.fill.opencv import fill_opencv
from services.background.fill.smooth import fill_smooth
from services.background.median.masked_median import NO_SAMPLE, masked_median
from services.background.studio import StudioParams, studio
from shared.operation import Silent
from shared.video import VideoWriter, read_frames
from shared.video.clip.part import ClipPart
from shared.worker.slot import HEAPS

out = Console(soft_wrap=True, highlight=False)
T = TypeVar("T")
SIZE = 1920, 1080
RUNS = 3
PLATE_FRAMES = 210
PLAIN: dict[str, Any] = {"decontaminate": False, "light_wrap": 0, "match": 0, "grain": False, "blobs": 0}


def main() -> None:
    """Print the tables, in a process with a worker's environment."""
    if os.environ.get("MALLOC_ARENA_MAX") != HEAPS:
        command = [sys.executable, "-m", "benchmarks.background.bench_background", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | {"MALLOC_ARENA_MAX": HEAPS})
    numbers = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    seconds = float(numbers[0]) if numbers else 3
    out.print(f"{machine()}\n")
    if "--studio" in sys.argv:
        with tempfile.TemporaryDirectory() as name:
            out.print(studios(Path(name), seconds))
        return
    out.print(medians())
    out.print(fills())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, matte, picture = made_clip(folder, seconds)
        out.print(composites(folder, clip, matte, picture))
        out.print(plates(folder))
        out.print(studios(folder, seconds))


def medians() -> Table:
    """Compare the times of three medians in a table.

    They are ours (masked), NumPy's and the original program's. 200 samples of 16 rows of 1080p, in which 30 % of the pixels are masked. The
    original program takes the median of R, G and B at each pixel; ours that of Y, U and V planes in 4:2:0.
    """
    random = np.random.default_rng(1)
    planes = []
    for pixels in (16 * SIZE[0], 4 * SIZE[0], 4 * SIZE[0]):
        samples = random.integers(0, NO_SAMPLE, (200, pixels)).astype(np.uint8)
        hidden = random.random(samples.shape) < 0.3
        samples[hidden] = NO_SAMPLE
        planes.append((samples, hidden, (~hidden).sum(axis=0).astype(np.uint16)))
    columns = 2000
    rgb, shown = np.stack([planes[0][0][:, :columns]] * 3, axis=-1), ~planes[0][1]

    def loop() -> None:
        for column in range(columns):
            np.median(rgb[shown[:, column], column], axis=0).astype(np.uint8)

    def ours() -> None:
        for samples, _, counts in planes:
            masked_median(samples, counts)

    def numpys() -> None:
        for samples, hidden, _ in planes:
            np.ma.median(np.ma.masked_array(samples, hidden), axis=0)

    rows = [
        ("masked median, Y, U and V", shortest_processor_s(ours)),
        ("numpy.ma.median, Y, U and V", shortest_processor_s(numpys, runs=1)),
        (f"a loop over RGB pixels, the original method ({columns} pixels, scaled up)", shortest_processor_s(loop) * 16 * SIZE[0] / columns),
    ]
    table = Table(title="Masked median of 200 samples, 16 rows of 1080p")
    for head in ("method", "processor s", "of ours"):
        table.add_column(head, justify="left" if head == "method" else "right")
    for method, spent in rows:
        table.add_row(method, f"{spent:.4f}", f"{spent / rows[0][1]:.0f}x")
    return table


def fills() -> Table:
    """Return a table that compares the hole-filling methods without a model.

    The hole has the size of a person. Measures the time and the distance from the truth.
    """
    with read_frames(sample_clip("bikes.mp4")) as frames:
        picture = cv2.resize(next(frames).rgb(), SIZE, interpolation=cv2.INTER_CUBIC)
    hole = ellipse(0)
    table = Table(title="Filling a person-sized hole at 1080p")
    for head in ("method", "processor s", "PSNR in the hole, dB"):
        table.add_column(head, justify="left" if head == "method" else "right")
    methods: list[tuple[str, Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]]] = [
        ("smooth", fill_smooth),
        ("opencv (Telea, the original method)", fill_opencv),
    ]
    for name, fill in methods:
        hidden = picture.copy()
        hidden[hole > 0] = 0
        filled = fill(hidden, hole)
        spent = shortest_processor_s(lambda fill=fill, hidden=hidden: fill(hidden, hole))  # type: ignore[misc]
        error = ((filled[hole > 0].astype(np.float32) - picture[hole > 0]) ** 2).mean()
        table.add_row(name, f"{spent:.3f}", f"{10 * np.log10(255**2 / error):.1f}")
    return table


def composites(folder: Path, clip: Path, matte: Path, picture: Path) -> Table:
    """Return a table of the times of composites, a transcode and the original program."""
    target = folder / "made.mp4"

    def job(**params: Any) -> Callable[[], object]:
        return lambda: composite(CompositeParams(**params), video=clip, alpha=matte, background=picture, plate=None, output=target)

    jobs: list[tuple[str, Callable[[], object]]] = [
        ("ffmpeg, plain transcode, same encoder settings", lambda: transcode(clip, target, "-c:a", "copy")),
        ("composite, plain", job(**PLAIN)),
        ("composite, light wrap, match and grain", job(**(PLAIN | {"light_wrap": 0.3, "match": 0.5, "grain": True}))),
        ("composite, all defaults", job()),
        ("composite, linear light", job(light="linear")),
        ("as the original program: RGB floats, frame by frame", lambda: original_composite(clip, matte, picture, target)),
    ]
    spent = lowest_costs(jobs, rounds=RUNS)
    table = Table(title=f"Composites over a picture, {SIZE[0]}x{SIZE[1]}")
    for head in ("job", "wall s", "wall, of the transcode", "processor s", "processor, of the transcode"):
        table.add_column(head, justify="left" if head == "job" else "right")
    reference = spent[jobs[0][0]]
    for name, (wall, processor) in spent.items():
        table.add_row(name, f"{wall:.2f}", f"{wall / reference[0]:.2f}x", f"{processor:.2f}", f"{processor / reference[1]:.2f}x")
    return table


def studios(folder: Path, seconds: float) -> Table:
    """Return a table of the times of studio jobs and of a transcode.

    In processor time of whole jobs. The clip pans. The depth is drawn, so that no model is needed: a floor and five boxes. What the model
    itself takes is left out.
    """
    pan = "scale=2304:980:flags=lanczos,pad=2304:1296:0:158,crop=1920:1080:(in_w-out_w)*(0.5+0.4*sin(t*2)):(in_h-out_h)*(0.5+0.3*sin(t))"
    clip, matte, picture = made_clip(folder, seconds, scale=pan)
    target = folder / "made.mp4"
    outputs = {"video": target, "background": folder / "background.png", "depth": folder / "depth.png"}

    def job(**params: Any) -> Callable[[], object]:
        return lambda: studio(StudioParams(**params), video=clip, alpha=matte, background=picture, outputs=outputs)

    transcoding = "ffmpeg, plain transcode, same encoder settings"
    jobs: list[tuple[str, Callable[[], object]]] = [
        (transcoding, lambda: transcode(clip, target, "-c:a", "copy")),
        ("analysis alone", lambda: analyze(clip, matte, ClipPart(), size=SIZE, frames=1, smooth=15, progress=Silent())),
        ("studio, depth plane", job(depth="plane")),
        ("studio, depth model", job()),
    ]
    endless = float("inf"), float("inf")
    spent: dict[str, tuple[float, float]] = {}

    def timed(name: str, run: Callable[[], T]) -> T:
        began, before_s = time.perf_counter(), processor_s()
        result = run()
        processor, best = processor_s() - before_s, spent.get(name, endless)
        spent[name] = min(best[0], processor), min(best[1], time.perf_counter() - began)
        return result

    write = studio_operation.write_again  # type: ignore[attr-defined]  # where the operation looks it up
    with patch("services.background.parallax.depth.estimated_depth", drawn_depth):
        for _ in range(RUNS):
            for name, run in jobs:

                def rendered(*values: Any, label: str = f"{name}, its render alone", **named: Any) -> object:
                    return timed(label, lambda: write(*values, **named))

                with patch.object(studio_operation, "write_again", rendered):
                    timed(name, run)
    table = Table(title=f"Studio over a given picture, {SIZE[0]}x{SIZE[1]}, {seconds:g} s")
    for head in ("job", "wall s", "processor s", "processor, of the transcode"):
        table.add_column(head, justify="left" if head == "job" else "right")
    for name, (processor, wall) in spent.items():
        table.add_row(name, f"{wall:.2f}", f"{processor:.2f}", f"{processor / spent[transcoding][0]:.2f}x")
    return table


def drawn_depth(rgb: NDArray[np.uint8], *_: object, **__: object) -> NDArray[np.float32]:
    """Draw an inverse depth map, as a stand-in for the depth model.

    A floor that comes nearer, and five boxes.
    """
    height, width = rgb.shape[:2]
    inverse = np.repeat(np.linspace(0, 0.6, height, dtype=np.float32)[:, None], width, axis=1)
    for number in range(5):
        left, top = int(width * (0.1 + 0.17 * number)), int(height * (0.3 + 0.08 * number))
        inverse[top : top + height // 4, left : left + width // 10] = 0.5 + 0.1 * number
    return np.asarray(cv2.GaussianBlur(inverse, (0, 0), 2), np.float32)


PLATE = """
import json, sys, time
from pathlib import Path
from services.background.plate import PlateParams, plate
def status(name):
    # Not getrusage: a new process inherits its parent's peak.
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) / 1024
before = status("VmRSS")
outputs = {"plate": Path(sys.argv[3]), "invented": Path(sys.argv[4])}
result = plate(PlateParams(samples=int(sys.argv[5])), video=Path(sys.argv[1]), alpha=Path(sys.argv[2]), outputs=outputs)
print(json.dumps([result.samples, time.process_time(), before, status("VmHWM")]))
"""


def plates(folder: Path) -> Table:
    """Return a table of time and peak memory of clean-plate jobs.

    Each plate is made in a process of its own. The camera pans over a real picture for PLATE_FRAMES frames, with noise that changes.
    """
    clip, matte = folder / "pan.mp4", folder / "pan-matte.mp4"
    still = folder / "still.png"
    ffmpeg("-i", str(sample_clip()), "-frames:v", "1", "-vf", "scale=2304:1296:flags=lanczos", str(still))
    pan = f"crop={SIZE[0]}:{SIZE[1]}:384*n/{PLATE_FRAMES}:108+80*sin(n/40),noise=alls=6:allf=t,format=yuv420p"
    coding = ["-r", "25", "-frames:v", str(PLATE_FRAMES), "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    ffmpeg("-loop", "1", "-framerate", "25", "-i", str(still), "-vf", pan, *coding, str(clip))
    write_matte(matte, PLATE_FRAMES)
    table = Table(title=f"Plates, {SIZE[0]}x{SIZE[1]}, a clip of {PLATE_FRAMES} frames")
    for head in ("samples", "processor s", "memory of the process before, MiB", "peak, MiB"):
        table.add_column(head, justify="right")
    for samples in (25, 75, 200):
        files = [str(path) for path in (clip, matte, folder / "plate.png", folder / "invented.png")]
        printed = subprocess.run([sys.executable, "-c", PLATE, *files, str(samples)], check=True, capture_output=True, text=True).stdout
        sample_count, spent, before, peak = json.loads(printed)
        table.add_row(str(sample_count), f"{spent:.1f}", f"{before:.0f}", f"{peak:.0f}")
    return table


def made_clip(folder: Path, seconds: float, *, scale: str = "scale=1920:816:flags=lanczos,pad=1920:1080:0:132") -> tuple[Path, Path, Path]:
    """Write a clip, its matte and a background picture; return their paths."""
    clip, matte, picture = folder / "clip.mp4", folder / "matte.mp4", folder / "background.png"
    settings = ["-vf", f"{scale},setsar=1", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    ffmpeg("-i", str(sample_clip("bikes.mp4")), "-t", str(seconds), *settings, str(clip))
    with read_frames(clip) as frames:
        write_matte(matte, sum(1 for _ in frames))
    rows = np.linspace(60, 200, SIZE[1])[:, None, None]
    cv2.imwrite(str(picture), np.broadcast_to(rows * np.array([1.0, 0.9, 0.7]), (SIZE[1], SIZE[0], 3)).astype(np.uint8))
    return clip, matte, picture


def write_matte(path: Path, count: int) -> None:
    """Write a matte of `count` frames: a moving ellipse with soft edges."""
    gray = np.full((SIZE[1] // 2, SIZE[0] // 2), 128, np.uint8)
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], frame_rate=25, quality=90) as writer:  # type: ignore[arg-type]
        for number in range(count):
            luma = np.rint(16 + cv2.GaussianBlur(ellipse(number), (0, 0), 2.5) * (219 / 255)).astype(np.uint8)
            writer.write((luma, gray, gray), number)


def ellipse(number: int) -> NDArray[np.uint8]:
    """Draw frame `number` of a moving, person-sized matte, (height, width)."""
    matte = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.ellipse(matte, ((700 + 6 * number, 600), (360, 900), 8), 255, -1)  # type: ignore[call-overload]
    return matte


def original_composite(clip: Path, matte: Path, picture: Path, target: Path) -> None:
    """Composite a clip by the original program's method.

    It processes RGB floats, one frame after the other.
    """
    background = cv2.cvtColor(cv2.imread(str(picture)), cv2.COLOR_BGR2RGB).astype(np.float32)
    import av

    with (
        read_frames(clip) as frames,
        read_frames(matte) as mattes,
        VideoWriter(target, width=SIZE[0], height=SIZE[1], frame_rate=25) as writer,
    ):  # type: ignore[arg-type]
        for frame, alpha in zip(frames, mattes, strict=False):
            weight = alpha.rgb()[..., :1].astype(np.float32) / 255
            mixed = frame.rgb().astype(np.float32) * weight + background * (1 - weight)
            writer.write(av.VideoFrame.from_ndarray(mixed.astype(np.uint8), format="rgb24"), frame.index)


def shortest_processor_s(run: Callable[[], object], *, runs: int = RUNS) -> float:
    """Run a job several times; return its shortest processor time in seconds."""
    times = []
    for _ in range(runs):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


if __name__ == "__main__":
    main()
