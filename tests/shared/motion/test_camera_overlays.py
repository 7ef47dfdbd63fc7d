"""Camera tracking under caption bars, whose changes are no cuts."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.motion.camera import Camera, Model

W, H = 320, 180
Gray = NDArray[np.uint8]


def place(seed: int) -> Gray:
    """Draw a still scene as a gray picture (H, W)."""
    random = np.random.default_rng(seed)
    picture = cv2.resize(random.integers(30, 220, (7, 12)).astype(np.uint8), (W, H), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y, side = (int(value) for value in random.integers(0, (W, H, 40)))
        cv2.rectangle(picture, (x, y), (x + side + 8, y + side + 8), int(random.integers(20, 235)), -1)
    return picture


BARS = {
    "low": (16, 136, 288, 32),
    "top": (40, 8, 240, 27),
    "middle": (16, 76, 288, 32),
    "side": (6, 36, 96, 108),
    "band": (0, 126, 320, 54),
}


@pytest.mark.parametrize("model", ["none", "translation", "similarity"])
@pytest.mark.parametrize(
    ("bar", "beat", "speed"), [("low", 15, 0), ("top", 7, 0), ("middle", 3, 0), ("side", 8, 0), ("band", 6, 0), ("low", 6, 1)]
)
def test_a_bar_that_changes_is_no_cut(bar: str, beat: int, speed: int, model: Model) -> None:
    x, y, width, height = BARS[bar]
    scene, other, camera = place(1), 255 - place(1), Camera(model, W, H)
    cuts = []
    for number in range(40):
        picture = np.roll(scene if number < 30 else other, speed * number, axis=1)
        light = number // beat % 2 == 0
        cv2.rectangle(picture, (x, y), (x + width, y + height), 240 if light else 15, -1)
        cv2.putText(picture, "WORDS"[: 2 + number // beat % 3], (x + 8, y + 24), cv2.FONT_HERSHEY_DUPLEX, 0.8, 15 if light else 240, 2)
        if camera.step(cv2.resize(picture, camera.size, interpolation=cv2.INTER_AREA)).cut and number:
            cuts.append(number)
    assert cuts == [30]
