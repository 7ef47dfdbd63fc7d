"""Speed and memory benchmark of plates and composites at 1080p.

A plate is a picture of the clip's background without the subject. The original program is the one that the service grew from.

    python -m benchmarks.background.bench_background [rounds, 3 by default] [seconds of each clip, 3 by default] [TABLE ...]

TABLE is composites, studio, plates, medians or fills; without one, all are printed. Composites, the studio and plates are whole jobs, from
file to file; medians and fills are inner steps. Jobs run in turns, and medians count. The clips of composites are those of
`benchmarks.material.clips.CLIP_KINDS`; the studio's is a real clip, enlarged, that pans. The matte is a drawn, moving ellipse of the size
of a person, because the time of a composite depends on the length of the matte's edge, not on the subject.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.machine import console, machine
from benchmarks.material.clips import clips_of_kinds, ffmpeg, sample_clip, transcode
from benchmarks.turns import Cost, Job, cost_of, costs_in_turns, median_cost, median_ratio, turns_table
from services.background import studio as studio_operation
from services.background.analysis.clip_analysis import analyze
from services.background.composite import CompositeParams, composite
from services.background.fill.opencv import fill_opencv
from services.background.fill.smooth import fill_smooth
from services.background.median.masked_median import NO_SAMPLE, masked_median
from services.background.studio import StudioParams, studio
from shared.operation import Silent
from shared.video import VideoWriter, probe_video, read_frames
from shared.video.clip.part import ClipPart
from shared.worker.processes.environment import HEAPS

out = console()
TABLES = ["composites", "studio", "plates", "medians", "fills"]
SIZE = 1920, 1080
PLATE_FRAMES = 210
PLAIN: dict[str, Any] = {"decontaminate": False, "light_wrap": 0, "match": 0, "grain": False, "blobs": 0}
TRANSCODE = "ffmpeg, transcode, same encoder settings"


def main() -> None:
    """Print the tables, in a process with a worker's environment."""
    if os.environ.get("MALLOC_ARENA_MAX") != HEAPS:
        command = [sys.executable, "-m", "benchmarks.background.bench_background", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | {"MALLOC_ARENA_MAX": HEAPS})
    numbers = [word for word in sys.argv[1:] if word not in TABLES]
    chosen = [word for word in sys.argv[1:] if word in TABLES] or TABLES
    rounds = int(numbers[0]) if numbers else 3
    seconds = float(numbers[1]) if len(numbers) > 1 else 3
    out.print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "composites" in chosen:
            for kind, clip in clips_of_kinds(folder, seconds).items():
                title = f"Composites over a picture, {kind}, {seconds:g} s"
                out.print(turns_table(title, composites(folder, clip), rounds))
        if "studio" in chosen:
            out.print(studios(folder, seconds, rounds))
        if "plates" in chosen:
            out.print(plates(folder, rounds))
    if "medians" in chosen:
        out.print(medians(rounds))
    if "fills" in chosen:
        out.print(fills(rounds))


def medians(rounds: int) -> Table:
    """Compare the times of three medians in a table.

    They are ours (masked), NumPy's and the original program's, an inner step of plates. 200 samples of 16 rows of 1080p, in which 30 % of
    the pixels are masked. The original program takes the median of R, G and B at each pixel; ours that of Y, U and V planes in 4:2:0.
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

    own = "masked median, Y, U and V"
    looped = f"a loop over RGB pixels, the original method ({columns} pixels, scaled up)"
    jobs = [
        Job(own, ours),
        Job("numpy.ma.median, Y, U and V", numpys, own),
        Job(looped, lambda: cost_of(loop).times(16 * SIZE[0] / columns), own),
    ]
    return turns_table("Inner step: masked median of 200 samples, 16 rows of 1080p", jobs, rounds)


def fills(rounds: int) -> Table:
    """Return a table that compares the hole-filling methods without a model.

    An inner step of plates. The hole has the size of a person. Measures the time and the distance from the truth.
    """
    with read_frames(sample_clip("bikes.mp4")) as frames:
        picture = cv2.resize(next(frames).rgb(), SIZE, interpolation=cv2.INTER_CUBIC)
    hole = ellipse(0)
    table = Table(title=f"Inner step: filling a person-sized hole at 1080p, medians of {rounds} rounds in turns")
    for head in ("method", "processor s", "of smooth", "PSNR in the hole, dB"):
        table.add_column(head, justify="left" if head == "method" else "right")
    hidden = picture.copy()
    hidden[hole > 0] = 0
    methods = {"smooth": fill_smooth, "opencv (Telea, the original method)": fill_opencv}
    costs = costs_in_turns([Job(name, partial(fill, hidden, hole), "smooth") for name, fill in methods.items()], rounds)
    for name, fill in methods.items():
        error = ((fill(hidden, hole)[hole > 0].astype(np.float32) - picture[hole > 0]) ** 2).mean()
        ratio = median_ratio(costs[name], costs["smooth"])[1]
        table.add_row(name, f"{median_cost(costs[name]).processor_s:.3f}", f"{ratio:.1f}x", f"{10 * np.log10(255**2 / error):.1f}")
    return table


def composites(folder: Path, clip: Path) -> list[Job]:
    """List the composite jobs to time, with a transcode and the original method."""
    target = folder / "made.mp4"
    matte, picture = matte_and_picture(folder, clip)

    def job(name: str, **params: Any) -> Job:
        files = {"video": clip, "alpha": matte, "background": picture, "plate": None}
        return Job(f"background.composite, {name}", lambda: composite(CompositeParams(**params), **files, output=target), TRANSCODE)

    return [
        Job(TRANSCODE, lambda: transcode(clip, target, "-c:a", "copy")),
        job("plain", **PLAIN),
        job("light wrap, match and grain", **(PLAIN | {"light_wrap": 0.3, "match": 0.5, "grain": True})),
        job("all defaults"),
        job("linear light", light="linear"),
        Job("original method, rewritten: RGB floats, frame by frame", lambda: original_composite(clip, matte, picture, target), TRANSCODE),
    ]


def studios(folder: Path, seconds: float, rounds: int) -> Table:
    """Return a table of the times of studio jobs and of a transcode.

    The clip pans. The depth is drawn, so that no model is needed: a floor and five boxes. What the model itself takes is left out.
    """
    pan = "scale=2304:980:flags=lanczos,pad=2304:1296:0:158,crop=1920:1080:(in_w-out_w)*(0.5+0.4*sin(t*2)):(in_h-out_h)*(0.5+0.3*sin(t))"
    clip = folder / "pan.mp4"
    settings = ["-vf", f"{pan},setsar=1", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    ffmpeg("-i", str(sample_clip("bikes.mp4")), "-t", str(seconds), *settings, str(clip))
    matte, picture = matte_and_picture(folder, clip)
    target = folder / "made.mp4"
    outputs = {"video": target, "background": folder / "background.png", "depth": folder / "depth.png"}
    write = studio_operation.write_again  # type: ignore[attr-defined]  # where the operation looks it up

    def whole(**params: Any) -> None:
        studio(StudioParams(**params), video=clip, alpha=matte, background=picture, outputs=outputs)

    def render_of(**params: Any) -> Cost:
        """Run a studio job; return the cost of its last step, the render."""
        renders: list[Cost] = []

        def rendered(*values: Any, **named: Any) -> object:
            made: list[object] = []
            renders.append(cost_of(lambda: made.append(write(*values, **named))))
            return made[0]

        with patch.object(studio_operation, "write_again", rendered):
            whole(**params)
        return renders[0]

    look = partial(analyze, clip, matte, ClipPart(), size=SIZE, frames=1, smooth=15, progress=Silent())
    jobs = [Job(TRANSCODE, lambda: transcode(clip, target, "-c:a", "copy")), Job("inner step: analysis", look, TRANSCODE)]
    for depth in ("plane", "model"):
        jobs.append(Job(f"background.studio, depth {depth}", partial(whole, depth=depth), TRANSCODE))
        jobs.append(Job(f"inner step: its render, depth {depth}", partial(render_of, depth=depth), TRANSCODE))
    with patch("services.background.parallax.depth.estimated_depth", drawn_depth):
        return turns_table(f"Studio over a given picture, {SIZE[0]}x{SIZE[1]}, {seconds:g} s, without the depth network", jobs, rounds)


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


def plates(folder: Path, rounds: int) -> Table:
    """Return a table of time and peak memory of clean-plate jobs.

    Each plate is made in a process of its own. The camera pans over a real picture for PLATE_FRAMES frames, with noise that changes.
    """
    clip, matte = folder / "plate.mp4", folder / "plate-matte.mp4"
    still = folder / "still.png"
    ffmpeg("-i", str(sample_clip()), "-frames:v", "1", "-vf", "scale=2304:1296:flags=lanczos", str(still))
    pan = f"crop={SIZE[0]}:{SIZE[1]}:384*n/{PLATE_FRAMES}:108+80*sin(n/40),noise=alls=6:allf=t,format=yuv420p"
    coding = ["-r", "25", "-frames:v", str(PLATE_FRAMES), "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    ffmpeg("-loop", "1", "-framerate", "25", "-i", str(still), "-vf", pan, *coding, str(clip))
    write_matte(matte, PLATE_FRAMES, SIZE)
    table = Table(title=f"Plates, {SIZE[0]}x{SIZE[1]}, a clip of {PLATE_FRAMES} frames, medians of {rounds} rounds in turns")
    for head in ("samples", "processor s", "memory of the process before, MiB", "peak, MiB"):
        table.add_column(head, justify="right")
    files = [str(path) for path in (clip, matte, folder / "plate.png", folder / "invented.png")]

    def figures(samples: int) -> list[float]:
        command = [sys.executable, "-c", PLATE, *files, str(samples)]
        made: list[float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return made

    runs = [[figures(samples) for samples in (25, 75, 200)] for _ in range(rounds)]
    for number in range(3):
        sample_count, spent, before, peak = (statistics.median(column) for column in zip(*(run[number] for run in runs), strict=True))
        table.add_row(f"{sample_count:.0f}", f"{spent:.1f}", f"{before:.0f}", f"{peak:.0f}")
    return table


def matte_and_picture(folder: Path, clip: Path) -> tuple[Path, Path]:
    """Write a matte for a clip, and a background picture.

    Returns their paths.
    """
    info = probe_video(clip)
    matte, picture = folder / "matte.mp4", folder / "background.png"
    write_matte(matte, info.frames, (info.width, info.height))
    rows = np.linspace(60, 200, info.height)[:, None, None]
    cv2.imwrite(str(picture), np.broadcast_to(rows * np.array([1.0, 0.9, 0.7]), (info.height, info.width, 3)).astype(np.uint8))
    return matte, picture


def write_matte(path: Path, count: int, size: tuple[int, int]) -> None:
    """Write a matte of `count` frames: a moving ellipse with soft edges."""
    width, height = size
    gray = np.full((height // 2, width // 2), 128, np.uint8)
    with VideoWriter(path, width=width, height=height, frame_rate=25, quality=90) as writer:  # type: ignore[arg-type]
        for number in range(count):
            luma = np.rint(16 + cv2.GaussianBlur(cv2.resize(ellipse(number), size), (0, 0), 2.5) * (219 / 255)).astype(np.uint8)
            writer.write((luma, gray, gray), number)


def ellipse(number: int) -> NDArray[np.uint8]:
    """Draw frame `number` of a moving, person-sized matte, (height, width) of SIZE."""
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
        VideoWriter(target, width=background.shape[1], height=background.shape[0], frame_rate=25) as writer,
    ):  # type: ignore[arg-type]
        for frame, alpha in zip(frames, mattes, strict=False):
            weight = alpha.rgb()[..., :1].astype(np.float32) / 255
            mixed = frame.rgb().astype(np.float32) * weight + background * (1 - weight)
            writer.write(av.VideoFrame.from_ndarray(mixed.astype(np.uint8), format="rgb24"), frame.index)


if __name__ == "__main__":
    main()
