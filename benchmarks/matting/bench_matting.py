"""Speed of whole `matting.matte` jobs on the CPU.

Compares RVM with the loop of its public inference script, and measures every installed backend by size. The loop is rewritten here: decode
a frame to RGB with PyAV, run the network with dynamic shapes in onnxruntime, composite in floating point, encode matte and composite, one
after the other. Both run in the same process on the same clip, in turns after a warm-up of two frames each, and medians of three rounds
(BENCH_MATTING_ROUNDS) count. On a busy machine look at the ratio of processor time as well.
"""

import os
import tempfile
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.material.clips import sample_clip
from benchmarks.turns import Job, costs_in_turns, median_cost, ratio_cells
from services.matting.matte import MatteParams, matte
from services.matting.networks.rvm import STATES, downsample_ratio
from shared.errors import ModelMissing, ReelwrightError
from shared.models.files import model_files
from shared.settings import Settings, use
from shared.video import VideoWriter, read_frames

SIZES = ((1280, 720), (1920, 1080))
BACKENDS = ("rvm", "u2netp", "chroma", "difference")
FRAMES = int(os.environ.get("BENCH_MATTING_FRAMES", "48"))
ROUNDS = int(os.environ.get("BENCH_MATTING_ROUNDS", "3"))
GREEN = np.float32([120, 255, 155]).reshape(3, 1, 1) / 255


def main() -> None:
    """Print the speeds of our RVM job, RVM's public loop and each backend.

    The speeds are in frames per second, by size.
    """
    use(Settings())
    try:
        weights = next(iter(model_files("rvm-mobilenetv3").values()))
    except ModelMissing as error:
        print(f"matting: not measured. {error.detail}")
        return
    print(f"| RVM MobileNetV3, {FRAMES} frames | matting.matte, fps | public loop, fps | as fast, wall | as fast, processor | load |")
    print(f"|{'---|' * 6}")
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            print(compared(weights, Path(folder), width, height), flush=True)
        print()
        by_backend(Path(folder))


def compared(weights: Path, folder: Path, width: int, height: int) -> str:
    """Run our job and RVM's public loop in turns.

    Returns a table row.
    """
    clip = enlarged(folder / f"{height}.mp4", width, height)
    ours(clip, folder, duration=0.08)
    public_loop(weights, clip, folder, 2)
    jobs = [Job("ours", lambda: ours(clip, folder)), Job("loop", lambda: public_loop(weights, clip, folder, FRAMES), "ours")]
    costs = costs_in_turns(jobs, ROUNDS, warm_up=False)
    own, theirs = (FRAMES / median_cost(costs[job.name]).wall_s for job in jobs)
    return f"| {width}x{height} | {own:.1f} | {theirs:.1f} | {' | '.join(ratio_cells(jobs[1], costs))} | {os.getloadavg()[0]:.0f} |"


def by_backend(folder: Path) -> None:
    """Print the frames per second of each installed backend, by size.

    The clip has no screen, so the matte of `chroma` is wrong, but its time is right.
    """
    sizes = ((640, 360), *SIZES)
    print(f"| backend | {' | '.join(f'{width}x{height}, fps' for width, height in sizes)} |\n|---|{'---|' * len(sizes)}")
    figures: dict[str, list[str]] = {backend: [] for backend in BACKENDS}
    for width, height in sizes:
        clip, plate = enlarged(folder / f"{width}-{height}.mp4", width, height), folder / f"plate-{height}.png"
        cv2.imwrite(str(plate), np.full((height, width, 3), 120, np.uint8))
        jobs, faults = [], {}
        for backend in BACKENDS:
            inputs = {"plate": plate} if backend == "difference" else {}
            more = {"key": "#00b140"} if backend == "chroma" else {}
            run = partial(ours, clip, folder, backend=backend, files=inputs, **more)
            try:
                run(duration=0.08)
            except ReelwrightError as error:
                faults[backend] = f"not run: {error.detail[:40]}"
            else:
                jobs.append(Job(backend, run))
        costs = costs_in_turns(jobs, ROUNDS, warm_up=False)
        for backend in BACKENDS:
            figures[backend].append(faults.get(backend) or f"{FRAMES / median_cost(costs[backend]).wall_s:.1f}")
    for backend, cells in figures.items():
        print(f"| `{backend}` | {' | '.join(cells)} |")


def enlarged(path: Path, width: int, height: int) -> Path:
    """Write a real clip of a person at a size.

    Returns its path.
    """
    with (
        read_frames(sample_clip("carphone_pristine.mp4")) as frames,
        VideoWriter(path, width=width, height=height, frame_rate=Fraction(25)) as writer,
    ):
        for number, frame in zip(range(FRAMES), frames, strict=False):
            rgb = cv2.resize(frame.rgb(), (width, height), interpolation=cv2.INTER_CUBIC)
            writer.write(av.VideoFrame.from_ndarray(rgb, format="rgb24"), number)
    return path


def ours(clip: Path, folder: Path, *, backend: str = "rvm", files: dict[str, Path] | None = None, **more: Any) -> None:
    """Run one whole `matting.matte` job."""
    inputs: dict[str, Any] = dict.fromkeys(("mask", "masks", "plate", "background")) | (files or {})
    outputs = {name: folder / f"{name}.mp4" for name in ("alpha", "composite", "foreground")}
    matte(MatteParams(backend=backend, **more), video=clip, outputs=outputs, **inputs)


def public_loop(weights: Path, clip: Path, folder: Path, frames: int) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
    states: list[Any] = [np.zeros((1, 1, 1, 1), np.float32)] * 4
    source = av.open(str(clip))
    files = [av.open(str(folder / f"loop-{name}.mp4"), "w") for name in ("alpha", "composite")]
    streams: list[Any] = []
    for number, frame in enumerate(source.decode(video=0)):
        if number == frames:
            break
        picture = frame.to_ndarray(format="rgb24").transpose(2, 0, 1)[None].astype(np.float32) / 255
        ratio = np.array([downsample_ratio(frame.width, frame.height)], np.float32)
        fed = {"src": picture, "downsample_ratio": ratio} | dict(zip(STATES, states, strict=True))
        foreground, alpha, *states = session.run(None, fed)
        composite = foreground[0] * alpha[0] + GREEN * (1 - alpha[0])
        for file, image in zip(files, (np.repeat(alpha[0], 3, axis=0), composite), strict=True):
            if len(streams) < len(files):
                stream: Any = file.add_stream("h264", rate=25, width=frame.width, height=frame.height, pix_fmt="yuv420p")
                stream.bit_rate = 4_000_000
                streams.append(stream)
            pixels = np.ascontiguousarray((image * 255).astype(np.uint8).transpose(1, 2, 0))
            file.mux(streams[files.index(file)].encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
    for file, stream in zip(files, streams, strict=True):
        file.mux(stream.encode(None))
        file.close()
    source.close()


if __name__ == "__main__":
    main()
