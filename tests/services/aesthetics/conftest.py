"""Fixtures of the aesthetics tests: a clip, and a models folder with random weights."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from nima_files import Weights, mobilenet, mobilenet_order, write_h5

from services.aesthetics.nima.backends import NetworkParams
from services.aesthetics.nima.network import network
from shared.settings import Settings
from tests.services.aesthetics.aesthetic_clips import RATE, scenery, write_video


@pytest.fixture(scope="session")
def ten_seconds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a 10 s clip at 10 fps with a scene every second.

    Only the scenes at 2 s and 8 s are sharp.
    """
    frames = []
    for second in range(10):
        scene = scenery(second)
        shown = scene if second in (2, 8) else cv2.GaussianBlur(scene, (0, 0), 2.5)
        frames += [shown] * RATE
    return write_video(tmp_path_factory.mktemp("ten") / "ten.mp4", frames)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a models folder with random weights of NIMA on MobileNet."""
    folder = tmp_path_factory.mktemp("models")
    weights = Weights()
    mobilenet(np.zeros((1, 96, 96, 3), np.float32), weights)
    (folder / "nima-mobilenet-aesthetic").mkdir()
    write_h5(folder / "nima-mobilenet-aesthetic" / "weights_mobilenet_aesthetic_0.07.hdf5", weights, mobilenet_order())
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("REELWRIGHT_MODELS_DIR", str(folder))  # for processes that are started
        patched.setattr("shared.settings._Process.settings", Settings())
        with network(NetworkParams(model="mobilenet-aesthetic")):
            pass  # converted here, once, and not by a job that yields the processor to everybody
        yield folder


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, Path]:
    """Return the paths of the outputs `images`, `scores` and `sheet` in `tmp_path`."""
    return {"images": tmp_path / "images.zip", "scores": tmp_path / "scores.zip", "sheet": tmp_path / "sheet.png"}
