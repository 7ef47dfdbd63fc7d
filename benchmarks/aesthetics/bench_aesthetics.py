"""Speed and memory benchmark of the aesthetics service.

    python -m benchmarks.aesthetics.bench_aesthetics [rounds] [seconds of each clip] [network] [jobs] [memory] [--perfectframe CHECKOUT]

The words choose tables; without them, all are printed, each as soon as it is measured. The defaults are 3 rounds and clips of 20 s, those
of `benchmarks.material.clips.CLIP_KINDS`. Jobs run in turns, and medians count. Compares whole jobs with PerfectFrameAI, the network (an
inner step) with Keras, and the memory for clips of different length.

CHECKOUT is a clone of BKDDFS/PerfectFrameAI, whose package runs as it is: `perfectframe` with ONNX, or `extractor_service` (up to version
2.3.3) with Keras. Without a clone, only the latter's method is compared, rewritten here. The network is InceptionResNetV2 with the random
initial weights of Keras, so the figures show speed, not quality. It is converted before the timing, as on a server after its first job.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.machine import console, machine
from benchmarks.material.clips import clips_of_kinds, ffmpeg
from benchmarks.turns import Job, costs_in_turns, median_cost, ratio_cells, turns_table
from benchmarks.warm_program import WarmProgram
from services.aesthetics.best_frames import BestFramesParams, best_frames
from services.aesthetics.nima.conversion import converted
from services.aesthetics.nima.keras_model import build
from services.aesthetics.nima.network import network
from services.aesthetics.nima.scores import RATINGS
from shared.models.folder import ModelFolder
from shared.settings import Settings, use

out = console()
TABLES = ["network", "jobs", "memory"]
NAME = "nima-inception-resnet-v2"
SEED_BATCH, GROUP, PICTURES = 100, 5, 48
PERFECTFRAME = """
import importlib, os, shutil
from pathlib import Path
sys.path.insert(0, sys.argv[1])
clip, weights, folder, package = *map(Path, sys.argv[2:5]), sys.argv[5]
extractors, evaluators, pictures, schemas, videos = (
    importlib.import_module(f"{package}.{name}")
    for name in ("extractors", "image_evaluators", "image_processors", "schemas", "video_processors")
)
def work():
    shutil.rmtree(folder, ignore_errors=True)
    source, target = folder / "videos", folder / "pictures"
    source.mkdir(parents=True)
    target.mkdir()
    os.link(clip, source / "clip.mp4")  # the program renames its video at the end
    config = schemas.ExtractorConfig(input_directory=source, output_directory=target, weights_directory=weights)
    extractor = extractors.BestFramesExtractor(config, pictures.OpenCVImage, videos.OpenCVVideo, evaluators.InceptionResNetNIMA)
    extractor.process()
    assert any(target.iterdir())
serve(work)
"""
MEMORY = """
import sys
from pathlib import Path
from services.aesthetics.best_frames import BestFramesParams, best_frames
folder = Path(sys.argv[2])
outputs = {"images": folder / "i.zip", "scores": folder / "s.zip", "sheet": folder / "s.png"}
best_frames(BestFramesParams(scorer="technical", sample_rate=4), video=Path(sys.argv[1]), outputs=outputs)
# Not getrusage: a new process inherits its parent's peak.
print(next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--perfectframe", type=Path)
    options, _ = parser.parse_known_args()
    numbers = [word for word in options.words if word not in TABLES]
    chosen = [word for word in options.words if word in TABLES] or TABLES
    rounds, seconds = int(numbers[0]) if numbers else 3, float(numbers[1]) if len(numbers) > 1 else 20.0
    out.print(machine())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["REELWRIGHT_MODELS_DIR"] = str(folder / "models")
        use(Settings())
        clips = clips_of_kinds(folder, seconds)
        if "memory" in chosen:
            out.print(memory_table(clips["1080p, B-frames"], seconds, folder))
        if chosen == ["memory"]:
            return
        model = build("inception-resnet-v2")
        write_weights(model, folder / "models")
        if "network" in chosen:
            out.print(network_table(model, rounds))
        for kind, clip in clips.items() if "jobs" in chosen else ():
            title = f"Best frames, {kind}, {seconds:g} s, a frame a second, groups of {GROUP}"
            out.print(job_table(title, model, clip, folder, rounds, options.perfectframe))


def network_table(model: Any, rounds: int) -> Table:
    """Compare the pictures per second of our NIMA network and of Keras's `predict`."""
    pictures = list(np.random.default_rng(0).integers(0, 256, (PICTURES, 224, 224, 3), dtype=np.uint8))
    batch = np.stack(pictures).astype(np.float32) / 127.5 - 1
    keras, rated = "Keras predict", dict[str, NDArray[np.float32]]()

    def predict() -> None:
        rated[keras] = model.predict(batch, batch_size=SEED_BATCH, verbose=0)

    def rate(name: str, params: BestFramesParams) -> None:
        with network(params) as run:
            rated[name] = run.rate(pictures)

    own = {
        "onnxruntime, f32, batches of 100 (as PerfectFrameAI)": BestFramesParams(
            precision="f32", backend="onnxruntime", batch_size=SEED_BATCH
        ),
        "OpenVINO, f32": BestFramesParams(precision="f32", backend="openvino"),
        "OpenVINO, precision auto": BestFramesParams(precision="auto", backend="openvino"),
    }
    jobs = [Job(keras, predict), *(Job(name, partial(rate, name, params), keras) for name, params in own.items())]
    costs = costs_in_turns(jobs, rounds)
    title = f"Inner step: InceptionResNetV2, {PICTURES} pictures, medians of {rounds} rounds in turns"
    table = Table("network", "pictures/s", "as fast, wall", "as fast, processor", "score off by", title=title)
    for job in jobs:
        off = np.abs((rated[job.name] - rated[keras]) @ RATINGS).max()
        speed = f"{PICTURES / median_cost(costs[job.name]).wall_s:.1f}"
        table.add_row(job.name, speed, *ratio_cells(job, costs, as_fast=True), f"{off:.4f}" if job.reference else "")
    return table


def job_table(title: str, model: Any, clip: Path, folder: Path, rounds: int, checkout: Path | None) -> Table:
    """Compare whole jobs, from video file to picture files, with PerfectFrameAI's.

    The job chooses the best frame of each group of five.
    """
    outputs = {"images": folder / "i.zip", "scores": folder / "s.zip", "sheet": folder / "s.png"}
    former = "PerfectFrameAI's former method, rewritten: seek to each frame, batches of 100, Keras"
    jobs = [Job(former, lambda: perfectframe_method(model, clip, folder))]
    program = None
    if checkout is not None:
        package, network = ("perfectframe", "ONNX") if (checkout / "perfectframe").is_dir() else ("extractor_service.app", "Keras")
        program = WarmProgram(PERFECTFRAME, checkout, clip, peer_weights(folder), folder / "perfectframe", package)
        jobs = [Job(f"PerfectFrameAI, its package {package}, {network}", program.run), Job(former, jobs[0].work)]
    for scorer in ("nima", "both", "technical"):
        params = BestFramesParams(scorer=scorer, group_size=GROUP)
        jobs.append(
            Job(f"aesthetics.best-frames, scorer {scorer}", partial(best_frames, params, video=clip, outputs=outputs), jobs[0].name)
        )
    table = turns_table(title, jobs, rounds, as_fast=True)
    if program is not None:
        program.close()
    return table


def peer_weights(folder: Path) -> Path:
    """Write NIMA's weights as PerfectFrameAI's HDF5 and ONNX files; return their folder."""
    target = folder / "peer"
    target.mkdir(exist_ok=True)
    model = ModelFolder(folder / "models").model(NAME)
    weights = folder / "models" / NAME / model.files[0].path
    shutil.copyfile(weights, target / "weights.h5")
    sha256 = ModelFolder(folder / "models").check(model, model.files[0]).sha256
    with converted("inception-resnet-v2", weights, sha256, "onnx") as path:
        shutil.copyfile(path, target / "weights.onnx")
    return target


def perfectframe_method(model: Any, clip: Path, folder: Path) -> None:
    """Choose the best frames by a rewrite of PerfectFrameAI's method."""
    capture = cv2.VideoCapture(str(clip))
    rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    frames = []
    for second in range(int(count / rate)):
        capture.set(cv2.CAP_PROP_POS_FRAMES, second * rate)
        success, frame = capture.read()
        if success:
            frames.append(frame)
    for start in range(0, len(frames), SEED_BATCH):
        batch = frames[start : start + SEED_BATCH]
        small = [cv2.resize(frame, (224, 224), interpolation=cv2.INTER_LANCZOS4) for frame in batch]
        scores = model.predict(np.stack(small).astype(np.float32) / 255, batch_size=SEED_BATCH, verbose=0) @ RATINGS
        for at in range(0, len(batch), GROUP):
            best = at + int(np.argmax(scores[at : at + GROUP]))
            cv2.imwrite(str(folder / f"seed-{start + best}.jpg"), batch[best])


def memory_table(clip: Path, seconds: float, folder: Path) -> Table:
    """Measure the peak memory of a process that runs one job.

    It is measured for a clip and for a clip four times as long.
    """
    longer = folder / "longer.mp4"
    ffmpeg("-stream_loop", "3", "-i", str(clip), "-c", "copy", str(longer))
    table = Table("1080p, four frames a second, scorer technical", "most memory, MB", title="memory")
    for path, length in ((clip, seconds), (longer, 4 * seconds)):
        done = subprocess.run([sys.executable, "-c", MEMORY, str(path), str(folder)], capture_output=True, text=True, check=True)
        table.add_row(f"{length:g} s", f"{int(done.stdout) / 1e6:.0f}")
    return table


def write_weights(model: Any, models: Path) -> None:
    """Write the weights of a Keras model to a models folder.

    The file has the layout of Keras 2.
    """
    import h5py

    entry = ModelFolder(models).model(NAME)
    path = models / NAME / entry.files[0].path
    path.parent.mkdir(parents=True)
    layers = [layer for layer in model.layers if layer.weights]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([layer.name.encode() for layer in layers])
        for layer in layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{number}:0" for number in range(len(layer.weights))]
            group.attrs["weight_names"] = np.array([name.encode() for name in names])
            for name, values in zip(names, layer.get_weights(), strict=True):
                group.create_dataset(name, data=values)


if __name__ == "__main__":
    main()
