"""What the aesthetics tests share: clips of which is known what is good about them, and a models folder with random weights."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from nima_files import Weights, mobilenet, mobilenet_order, write_h5
from numpy.typing import NDArray

from services.aesthetics.network import network
from services.aesthetics.params import BestFramesParams
from shared.video import VideoWriter

WIDTH, HEIGHT, RATE = 320, 180, 10


def scenery(seed: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A picture (height, width, 3) of discs that lie on each other, in many sizes and colours: sharp, and well exposed."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 110, np.uint8)
    for radius in sorted(random.pareto(1.5, 500) * 4 + 2, reverse=True):
        centre = int(random.integers(width)), int(random.integers(height))
        cv2.circle(picture, centre, int(min(radius, 60)), random.integers(20, 215, 3).tolist(), -1, cv2.LINE_AA)
    return picture


def write_video(path: Path, frames: list[NDArray[np.uint8]], *, rate: int = RATE, times: list[int] | None = None) -> Path:
    """A video of RGB frames; `times`: pts in 1/1000 s, or evenly at `rate`."""
    height, width = frames[0].shape[:2]
    base = {"time_base": Fraction(1, 1000)} if times else {}
    with VideoWriter(path, width=width, height=height, frame_rate=Fraction(rate), quality=100, **base) as writer:
        for number, frame in enumerate(frames):
            writer.write(av.VideoFrame.from_ndarray(frame, "rgb24"), times[number] if times else number)
    return path


@pytest.fixture(scope="session")
def ten_seconds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 s at 10 frames a second, a new scene every second and all of them blurred, but for those from 2 and from 8 s on."""
    frames = []
    for second in range(10):
        scene = scenery(second)
        shown = scene if second in (2, 8) else cv2.GaussianBlur(scene, (0, 0), 2.5)
        frames += [shown] * RATE
    return write_video(tmp_path_factory.mktemp("ten") / "ten.mp4", frames)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A models folder in which NIMA on MobileNet is installed, with random weights."""
    folder = tmp_path_factory.mktemp("models")
    weights = Weights()
    mobilenet(np.zeros((1, 96, 96, 3), np.float32), weights)
    (folder / "nima-mobilenet-aesthetic").mkdir()
    write_h5(folder / "nima-mobilenet-aesthetic" / "weights_mobilenet_aesthetic_0.07.hdf5", weights, mobilenet_order())
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("REELWRIGHT_MODELS_DIR", str(folder))
        with network(BestFramesParams(model="mobilenet-aesthetic")):
            pass  # converted here, once, and not by a job that yields the processor to everybody
        yield folder


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, Path]:
    """Where an operation writes."""
    return {"images": tmp_path / "images.zip", "scores": tmp_path / "scores.zip", "sheet": tmp_path / "sheet.png"}
