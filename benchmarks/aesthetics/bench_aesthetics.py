"""Speed and memory benchmark of the aesthetics service.

    python -m benchmarks.aesthetics.bench_aesthetics [seconds of the 1080p clip, 20 by default] [network] [jobs] [memory]

The words choose tables; without them, all are printed, each as soon as it is measured. Compares a whole job with PerfectFrameAI's method,
the network with Keras, and the memory for clips of different length. The network is InceptionResNetV2 with Keras's random initial weights,
so the figures show speed, not quality. The network is converted before the timing starts, as on a server after its first job.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg, sample_clip
from services.aesthetics.best_frames import BestFramesParams, best_frames
from services.aesthetics.nima.keras_model import build
from services.aesthetics.nima.network import network
from services.aesthetics.nima.scores import RATINGS
from shared.models.folder import ModelFolder
from shared.settings import Settings, use

out = Console(soft_wrap=True, highlight=False)
TABLES = ["network", "jobs", "memory"]
NAME = "nima-inception-resnet-v2"
SEED_BATCH, GROUP, PICTURES = 100, 5, 48
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
    """Print all tables."""
    arguments = sys.argv[1:] if sys.argv[0].endswith("bench_aesthetics.py") else []
    seconds = next((float(word) for word in arguments if word not in TABLES), 20.0)
    chosen = [word for word in arguments if word in TABLES] or TABLES
    out.print(f"{machine()}; load {os.getloadavg()[0]:.0f}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["REELWRIGHT_MODELS_DIR"] = str(folder / "models")
        use(Settings())
        clip = make_clip(folder / "1080p.mp4", seconds)
        if "memory" in chosen:
            out.print(memory_table(clip, seconds, folder))
        if chosen == ["memory"]:
            return
        model = build("inception-resnet-v2")
        write_weights(model, folder / "models")
        if "network" in chosen:
            out.print(network_table(model))
        if "jobs" in chosen:
            out.print(job_table(model, clip, seconds, folder))


def network_table(model: Any) -> Table:
    """Compare the pictures per second of our NIMA network and of Keras's `predict`."""
    pictures = list(np.random.default_rng(0).integers(0, 256, (PICTURES, 224, 224, 3), dtype=np.uint8))
    batch = np.stack(pictures).astype(np.float32) / 127.5 - 1
    keras_s, expected = timed(lambda: model.predict(batch, batch_size=SEED_BATCH, verbose=0))
    table = Table(f"InceptionResNetV2, {PICTURES} pictures", "pictures/s", "x Keras predict", "score off by", title="the network")
    table.add_row("Keras predict", f"{PICTURES / keras_s:.1f}", "1.0", "")
    rows = (
        ("PerfectFrameAI's present way, batches of 100:", BestFramesParams(precision="f32", backend="onnxruntime", batch_size=SEED_BATCH)),
        ("here,", BestFramesParams(precision="f32", backend="openvino")),
        ("here,", BestFramesParams(precision="auto", backend="openvino")),
    )
    for name, params in rows:
        with network(params) as run:
            took_s, rated = timed(lambda rate=run.rate: rate(pictures))
            off, method = np.abs((rated - expected) @ RATINGS).max(), f"{run.model_used.backend} {run.model_used.precision}"
            table.add_row(f"{name} {method}", f"{PICTURES / took_s:.1f}", f"{keras_s / took_s:.1f}", f"{off:.4f}")
    return table


def job_table(model: Any, clip: Path, seconds: float, folder: Path) -> Table:
    """Compare whole jobs, from video file to picture files, with PerfectFrameAI's method.

    The job chooses the best frame of each group of five.
    """
    outputs = {"images": folder / "i.zip", "scores": folder / "s.zip", "sheet": folder / "s.png"}
    table = Table("best frames", "seconds", "times as fast", title=f"{seconds:g} s of 1080p, a frame a second, groups of {GROUP}")
    with network(BestFramesParams()):
        pass
    seed_s, _ = timed(lambda: perfectframe_method(model, clip, folder), repeat=1)
    table.add_row("PerfectFrameAI's method: seek for every frame, whole frames in batches of 100, Keras predict", f"{seed_s:.2f}", "1.0")
    for scorer in ("nima", "both", "technical"):
        params = BestFramesParams(scorer=scorer, group_size=GROUP)
        took_s, _ = timed(lambda choice=params: best_frames(choice, video=clip, outputs=outputs), repeat=2)
        table.add_row(f"here, scorer {scorer}", f"{took_s:.2f}", f"{seed_s / took_s:.1f}")
    return table


def perfectframe_method(model: Any, clip: Path, folder: Path) -> None:
    """Choose the best frames by PerfectFrameAI's method, rewritten here without its package."""
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

    For a clip and for a clip four times as long.
    """
    longer = folder / "longer.mp4"
    ffmpeg("-stream_loop", "3", "-i", str(clip), "-c", "copy", str(longer))
    table = Table("1080p, four frames a second, scorer technical", "most memory, MB", title="memory")
    for path, length in ((clip, seconds), (longer, 4 * seconds)):
        done = subprocess.run([sys.executable, "-c", MEMORY, str(path), str(folder)], capture_output=True, text=True, check=True)
        table.add_row(f"{length:g} s", f"{int(done.stdout) / 1e6:.0f}")
    return table


def timed(work: Callable[[], Any], *, repeat: int = 2) -> tuple[float, Any]:
    """Run `work` `repeat` times.

    Returns its shortest time in seconds and its last result.
    """
    best, result = float("inf"), None
    for _ in range(repeat):
        began = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - began)
    return best, result


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


def make_clip(path: Path, seconds: float) -> Path:
    """Write a 1080p clip of `seconds` seconds, made from the sample clip."""
    enlarge = ["-stream_loop", "19", "-i", str(sample_clip()), "-t", str(seconds), "-vf", "scale=1920:1080:flags=lanczos"]
    ffmpeg(*enlarge, "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-an", str(path))
    return path


if __name__ == "__main__":
    main()
