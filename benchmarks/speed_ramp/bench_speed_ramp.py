"""Speed of analyzing and rendering speed ramps.

    python -m benchmarks.speed_ramp.bench_speed_ramp [rounds, 3 by default] [seconds of each clip, 5 by default] [flow] [analysis] [render]

The words choose tables; without them, all are printed. Compares analysis with plain decoding, and rendering with a transcode at an even
speed. Jobs run in turns, as a worker runs them, from file to file; medians count. Processor time is that of this process and of ffmpeg.
`benchmarks.peers.bench_originals` runs AI-Speed-Ramping itself; here, only its flow on a few pairs of frames. The clips are those of
`benchmarks.material.clips.CLIP_KINDS` with stereo sound, and the sample clip with its 5.1 sound.
"""

import platform
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.machine import console, machine
from benchmarks.material.clips import clips_of_kinds, ffmpeg, sample_clip
from benchmarks.turns import Job, cost_of, costs_in_turns, median_cost, turns_table
from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.motion.measure import Meter
from services.speed_ramp.render import RenderParams, render
from shared.video import VideoInfo, probe_video, read_frames
from shared.video.writing.encoders import choose_encoder, encoder_options

out = console()
TABLES = ["flow", "analysis", "render"]
SEED_FRAMES = 12
PLAIN, RAMPED = "plain.mp4", "ramped.mp4"


def main() -> None:
    """Print the tables."""
    numbers = [word for word in sys.argv[1:] if word not in TABLES]
    chosen = [word for word in sys.argv[1:] if word in TABLES] or TABLES
    rounds = int(numbers[0]) if numbers else 3
    seconds = float(numbers[1]) if len(numbers) > 1 else 5
    out.print(f"{machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}\n")
    if "flow" in chosen:
        out.print(flow_table(rounds))
    with tempfile.TemporaryDirectory() as folder:
        clips = clips_of_kinds(Path(folder), seconds, sound=True) | {"720p with 5.1 sound": sample_clip()}
        for kind, clip in clips.items():
            info = probe_video(clip)
            name = f"{kind}, {info.frames} frames, {info.duration_s:.1f} s"
            if "analysis" in chosen:
                out.print(turns_table(f"Analysis, {name}", analyses(clip, info), rounds, frames=info.frames))
            if "render" in chosen:
                jobs = renders(clip, info, Path(folder), whole=kind.startswith("1080p"))
                out.print(turns_table(f"Rendering along a curve, {name}", jobs, rounds))
                plain, ramped = (probe_video(Path(folder) / made).frames for made in (PLAIN, RAMPED))
                out.print(f"Frames written: {plain} by ffmpeg, {ramped} by the render\n")


def analyses(clip: Path, info: VideoInfo) -> list[Job]:
    """List the jobs that measure the motion of a clip."""
    floor = "ffmpeg, decoding to nothing"
    pairs = (info.frames - 1) / SEED_FRAMES
    return [
        Job(floor, lambda: ffmpeg("-i", str(clip), "-map", "0:v", "-f", "null", "-")),
        Job("inner step: read_frames, frames ignored", lambda: read(clip), floor),
        Job("speed-ramp.analyze", lambda: analyze(AnalyzeParams(), video=clip), floor),
        Job(
            f"inner step: AI-Speed-Ramping's flow (Farneback, full size; {SEED_FRAMES} pairs, scaled to the clip)",
            lambda: cost_of(lambda: original_method(clip)).times(pairs),
            floor,
        ),
    ]


def renders(clip: Path, info: VideoInfo, folder: Path, *, whole: bool) -> list[Job]:
    """List the jobs that retime a clip.

    Each is compared with a transcode by ffmpeg, at an even speed, to as many frames. `whole`: all ways to render, not only the default.
    """
    times, speeds = np.linspace(0, info.duration_s, 6), (1, 2, 0.5, 1.5, 0.6, 1.2)
    curve = [CurvePoint(t=t, speed=speed) for t, speed in zip(times, speeds, strict=True)]
    total = float(Clock([(point.t, point.speed) for point in curve]).out(info.duration_s))
    plain = "ffmpeg, setpts, atempo and transcode at an even speed"
    options: dict[str, dict[str, Any]] = {
        "nearest": {},
        "nearest, no sound": {"audio": "drop"},
        "nearest, pitch follows": {"audio": "follow"},
        "nearest, shutter 0.5": {"shutter": 0.5},
        "blend": {"interpolation": "blend"},
        "flow": {"interpolation": "flow"},
    }

    def ramp(name: str) -> Job:
        params = RenderParams(curve=curve, **options[name])
        return Job(f"speed-ramp.render, {name}", lambda: render(params, video=clip, output=folder / RAMPED), plain)

    even = info.duration_s / total
    return [Job(plain, lambda: transcode(clip, info, folder / PLAIN, speed=even)), *map(ramp, options if whole else ["nearest"])]


def flow_table(rounds: int) -> Table:
    """Compare flow methods, an inner step of the analysis, on a panned picture.

    Measures the time per pair, and the error of the 90th percentile of the lengths.
    """
    clip = sample_clip()
    with read_frames(clip) as frames:
        picture = next(islice(frames, 60, None)).luma().copy()
    table = Table(
        title="Inner step: optical flow of a panned picture, ms a pair in one thread, medians in turns; error of the measured length"
    )
    for head in ("method", *(f"{w}x{h}" for w, h in SIZES), "error at 1 %", "at 5 %", "at 10 % of the diagonal"):
        table.add_column(head, justify="right")
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    views = {size: panned(picture, size, 0.02) for size in SIZES}
    jobs = [Job(f"{label} {size}", partial(flow, *views[size])) for label, flow in METHODS for size in SIZES]
    costs = costs_in_turns(jobs, 20 * rounds)
    for label, flow in METHODS:
        errors = []
        for part in (0.01, 0.05, 0.1):
            a, b = panned(picture, (256, 144), part)
            pixels = round(part * np.hypot(256, 144))
            field = flow(a, b)
            errors.append(float(np.percentile(np.hypot(field[..., 0], field[..., 1]), 90)) / pixels - 1)
        medians = [median_cost(costs[f"{label} {size}"]).wall_s * 1000 for size in SIZES]
        table.add_row(label, *(f"{median:.2f}" for median in medians), *(f"{error:+.0%}" for error in errors))
    cv2.setNumThreads(before)
    meter = Job("whole", partial(Meter(), *views[256, 144]))
    whole = median_cost(costs_in_turns([meter], 20 * rounds)["whole"]).wall_s * 1000
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


if __name__ == "__main__":
    main()
