"""Speed of analyzing and rendering speed ramps.

    python -m benchmarks.speed_ramp.bench_speed_ramp [seconds of the 1080p clip]

Compares analysis with plain decoding and with AI-Speed-Ramping's method, and rendering with a plain transcode. All run in turn in one
program, and the best of three counts. CPU seconds are those of this process and of ffmpeg. Ratios are of wall seconds.
"""

import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.material.clips import ffmpeg, sample_clip
from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.motion.measure import Meter
from services.speed_ramp.render import RenderParams, RenderResult, render
from shared.video import VideoInfo, probe, read_frames
from shared.video.writing.encoders import choose_encoder, encoder_options

out = Console(soft_wrap=True, highlight=False)
SEED_FRAMES = 12


@dataclass(frozen=True)
class Cost:
    """Wall and CPU time in seconds."""

    wall_s: float
    cpu_s: float

    def scaled(self, factor: float) -> "Cost":
        return Cost(self.wall_s * factor, self.cpu_s * factor)


def main() -> None:
    """Print all tables."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8
    out.print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, OpenCV {cv2.__version__}\n")
    out.print(flow_table())
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "1080p.mp4"
        enlarge = ["-stream_loop", "9", "-i", str(sample_clip()), "-t", str(seconds), "-vf", "scale=1920:1080:flags=lanczos"]
        ffmpeg(*enlarge, "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-c:a", "aac", str(large))
        for clip in (sample_clip(), large):
            info = probe(clip)
            assert isinstance(info, VideoInfo)
            name = f"{clip.name}: {info.width}x{info.height}, {info.frames} frames, {info.duration_s:.1f} s"
            out.print(analysis_table(name, clip, info))
            out.print(render_table(name, clip, info, Path(folder)))
        stereo = Path(folder) / "1080p, stereo.mp4"
        ffmpeg("-i", str(large), "-c:v", "copy", "-ac", "2", "-c:a", "aac", str(stereo))
        info = probe(stereo)
        assert isinstance(info, VideoInfo)
        out.print(render_table(stereo.name, stereo, info, Path(folder), whole=False))


def analysis_table(name: str, clip: Path, info: VideoInfo) -> Table:
    floor = best(lambda: ffmpeg("-i", str(clip), "-map", "0:v", "-f", "null", "-"))
    seed = best(lambda: original_method(clip), times=1).scaled((info.frames - 1) / SEED_FRAMES)
    rows = [
        ("ffmpeg, decoding to nothing", floor),
        ("read_frames, frames ignored", best(lambda: read(clip))),
        ("analyze", best(lambda: analyze(AnalyzeParams(), video=clip))),
        (f"AI-Speed-Ramping's method (Farneback, full size; {SEED_FRAMES} pairs, scaled to the clip)", seed),
    ]
    return table(f"Analysis, {name}", rows, info.frames, floor)


def render_table(name: str, clip: Path, info: VideoInfo, folder: Path, *, whole: bool = True) -> Table:
    """Compare the speeds of rendering and of a plain transcode.

    `whole`: measure all rendering options, not only the default.
    """
    curve = [CurvePoint(t=t, speed=s) for t, s in zip(np.linspace(0, info.duration_s, 6), (1, 2, 0.5, 1.5, 0.6, 1.2), strict=True)]
    results: list[RenderResult] = []

    def ramp(**options: object) -> Callable[[], None]:
        params = RenderParams.model_validate({"curve": [point.model_dump() for point in curve]} | options)
        return lambda: results.append(render(params, video=clip, output=folder / "ramped.mp4"))

    nearest = best(ramp())
    frames, total = results[-1].frames, float(Clock([(p.t, p.speed) for p in curve]).out(info.duration_s))
    plain = best(lambda: transcode(clip, info, folder / "plain.mp4", speed=info.duration_s / total))
    copy = probe(folder / "plain.mp4")
    assert isinstance(copy, VideoInfo), (copy, frames)
    assert abs(copy.frames - frames) <= 2, (copy, frames)
    rows = [
        (f"ffmpeg, one pass at a constant speed, same encoder settings ({copy.frames} frames out)", plain),
        ("render, nearest", nearest),
    ]
    if whole:
        rows += [
            ("render, nearest, no sound", best(ramp(audio="drop"))),
            ("render, nearest, pitch follows", best(ramp(audio="follow"))),
            ("render, nearest, shutter 0.5", best(ramp(shutter=0.5))),
            ("render, blend", best(ramp(interpolation="blend"))),
            ("render, flow (once)", best(ramp(interpolation="flow"), times=1)),
        ]
    return table(f"Rendering along a curve, {name}, {frames} frames out", rows, frames, plain)


def flow_table() -> Table:
    """Compare flow methods on a panned picture.

    Measures the time per pair, and the error of the 90th percentile of the lengths.
    """
    clip = sample_clip()
    with read_frames(clip) as frames:
        picture = next(islice(frames, 60, None)).luma().copy()
    table = Table(title="Optical flow of a panned picture: ms a pair in one thread, and error of the measured length")
    for head in ("method", *(f"{w}x{h}" for w, h in SIZES), "error at 1 %", "at 5 %", "at 10 % of the diagonal"):
        table.add_column(head, justify="right")
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    for label, flow in METHODS:
        costs = []
        for size in SIZES:
            a, b = panned(picture, size, 0.02)
            costs.append(min(timed(lambda a=a, b=b, flow=flow: flow(a, b)) for _ in range(20)) * 1000)
        errors = []
        for part in (0.01, 0.05, 0.1):
            a, b = panned(picture, (256, 144), part)
            pixels = round(part * np.hypot(256, 144))
            field = flow(a, b)
            errors.append(float(np.percentile(np.hypot(field[..., 0], field[..., 1]), 90)) / pixels - 1)
        table.add_row(label, *(f"{cost:.2f}" for cost in costs), *(f"{error:+.0%}" for error in errors))
    cv2.setNumThreads(before)
    a, b = panned(picture, (256, 144), 0.02)
    meter = Meter()
    whole = min(timed(lambda: meter(a, b)) for _ in range(20)) * 1000
    table.caption = f"A whole measurement (flow, compensation, percentile) at 256x144: {whole:.2f} ms"
    return table


SIZES = ((160, 90), (256, 144), (320, 180))
Field = NDArray[np.float32]


def dis(preset: int) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], Field]:
    flow = cv2.DISOpticalFlow.create(preset)
    return lambda a, b: flow.calc(a, b, None)


def farneback(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Field:
    return cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 15, 3, 5, 1.2, 0)


METHODS = (("DIS ultrafast", dis(0)), ("DIS fast", dis(1)), ("DIS medium", dis(2)), ("Farneback", farneback))


def panned(picture: NDArray[np.uint8], size: tuple[int, int], part: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return two views of a picture, the second shifted by `part` of their diagonal."""
    width, height = size
    shift = round(part * np.hypot(width, height))
    small = cv2.resize(picture, (width + shift, height), interpolation=cv2.INTER_AREA)
    return small[:, :width].copy(), small[:, shift:].copy()


def original_method(clip: Path) -> None:
    """Measure motion between frames by AI-Speed-Ramping's method.

    BGR frames of OpenCV, converted to gray; Farneback's flow at full size; its mean length.
    """
    capture = cv2.VideoCapture(str(clip))
    grays = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2GRAY)]
    for _ in range(SEED_FRAMES):
        grays = [grays[-1], cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2GRAY)]
        field = farneback(grays[0], grays[1])
        np.mean(cv2.cartToPolar(field[..., 0], field[..., 1])[0])
    capture.release()


def read(clip: Path) -> None:
    with read_frames(clip) as frames:
        for _ in frames:
            pass


def transcode(clip: Path, info: VideoInfo, target: Path, *, speed: float) -> None:
    encoder = choose_encoder("auto", ".mp4", "yuv420p")
    options = [word for name, value in encoder_options(encoder, 70, "yuv420p").items() for word in (f"-{name}", value)]
    sound = ["-af", f"atempo={speed:.6f}", "-c:a", "aac"] if info.audio else []
    rate = Fraction(info.frame_rate)
    video = ["-vf", f"setpts=PTS/{speed:.6f},fps={rate}", "-pix_fmt", "yuv420p", "-c:v", encoder.name, *options]
    ffmpeg("-i", str(clip), *video, *sound, "-movflags", "+faststart", str(target))


def best(work: Callable[[], object], *, times: int = 3) -> Cost:
    return min((cost(work) for _ in range(times)), key=lambda run: run.wall_s)


def cost(work: Callable[[], object]) -> Cost:
    cpu = cpu_s()
    wall = timed(work)
    return Cost(wall, cpu_s() - cpu)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu_s() -> float:
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def table(title: str, rows: list[tuple[str, Cost]], frames: int, floor: Cost) -> Table:
    table = Table(title=title)
    table.add_column("method")
    for head in ("wall s", "CPU s", "frames/s", "ratio"):
        table.add_column(head, justify="right")
    for name, run in rows:
        table.add_row(name, f"{run.wall_s:.2f}", f"{run.cpu_s:.2f}", f"{frames / run.wall_s:.0f}", f"{run.wall_s / floor.wall_s:.2f}")
    return table


def processor() -> str:
    def models() -> Iterator[str]:
        cpuinfo = Path("/proc/cpuinfo")
        for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()

    return next(models(), platform.processor() or platform.machine())


if __name__ == "__main__":
    main()
