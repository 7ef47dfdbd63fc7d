"""An installed MatAnyone with random weights, compared with the package's own loop.

`make test-models` runs these where the packages are installed (docs/matting.md). Nothing of them is in this repository. A frame takes
several seconds of processor time, so 12 are compared; `MATANYONE_TEST_FRAMES=60` compares more.
"""

import importlib.util
import os
from typing import get_args

import cv2
import numpy as np
import pytest

from services.matting.matanyone.package import Package, load_matanyone
from services.matting.matanyone.stream import WARM_UP, Stream

pytestmark = [pytest.mark.models, pytest.mark.timeout(3600)]
WIDTH, HEIGHT = 640, 360
FRAMES = int(os.environ.get("MATANYONE_TEST_FRAMES", "12"))


def pictures():
    """Yield frames of a textured disc that moves before a textured wall."""
    random = np.random.default_rng(4)
    wall, cloth = (np.clip(random.normal(level, 40, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8) for level in (90, 160))
    for number in range(FRAMES):
        inside = disc(number)[..., None] > 0
        yield np.where(inside, np.roll(cloth, 4 * number, 1), wall)


def disc(number):
    return cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (160 + 4 * number, 180), 90, 255, -1)


@pytest.mark.parametrize("name", get_args(Package))
def test_mattes_equal_those_of_the_packages_own_loop(name):
    import torch

    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    torch.manual_seed(7)
    matanyone = load_matanyone(name, None)
    stream = Stream(matanyone)
    core = matanyone.core(matanyone.network, cfg=matanyone.network.cfg, device=torch.device("cpu"))
    for number, picture in enumerate(pictures()):
        ours = stream.step(picture, {"disc": disc(0)} if number == 0 else None)["disc"]
        image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            if number == 0:
                core.step(image, torch.from_numpy(disc(0)).float(), objects=[1])
            steps = [core.step(image, **{"first_frame_pred": True} if number == 0 else {}) for _ in range(WARM_UP if number == 0 else 1)]
            theirs = core.output_prob_to_mask(steps[-1]).numpy()
        assert np.array_equal(ours, theirs.clip(0, 1)), f"frame {number}"
