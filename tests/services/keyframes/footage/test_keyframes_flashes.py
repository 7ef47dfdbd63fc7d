"""Flashes that light a part of the picture, and flashes in coarsely coded clips. No cut lies at them."""

import cv2
import numpy as np
import pytest

from tests.services.keyframes.found_shots import shots_of
from tests.services.keyframes.shot_clips import HEIGHT, WIDTH, dissolve, frames_of, write

COLUMN, ROW = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
LIGHTS = {
    "all": np.ones((HEIGHT, WIDTH)),
    "right": (COLUMN >= WIDTH // 3).astype(float),
    "left": (COLUMN < WIDTH // 2).astype(float),
    "spot": np.clip(1.5 - np.hypot(COLUMN - WIDTH / 2, ROW - HEIGHT / 2) / 90, 0, 1),
}


def lit(picture, light, strength):
    """Light a picture. `light`: a name in LIGHTS. `strength`: 0 to 1."""
    share = strength * LIGHTS[light][..., None]
    return (picture * (1 - share) + 255 * share).astype(np.uint8)


@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize(("light", "motion"), [("right", 0.3), ("right", 6), ("left", 0.3), ("left", 6), ("spot", 0.3)])
def test_a_flash_on_a_part_of_the_picture_is_no_cut(light, motion, speed, tmp_path):
    frames = [(picture * 0.3 + 60).astype(np.uint8) for picture in frames_of(5, 70, speed=motion)]
    frames[30:34] = [lit(picture, light, 0.9) for picture in frames[30:34]]
    assert shots_of(write(tmp_path / "clip.mp4", frames), tmp_path, speed=speed) == []


@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize("light", ["all", "right"])
def test_a_still_picture_that_a_coarse_encoder_renews_after_a_flash_is_no_cut(light, speed, tmp_path):
    frames = frames_of(8, 70, speed=0)
    frames[30:32] = [lit(picture, light, 0.85) for picture in frames[30:32]]
    assert shots_of(write(tmp_path / "clip.mp4", frames, quality=15), tmp_path, speed=speed) == []


def test_a_punch_in_under_a_flash_is_a_cut(tmp_path):
    frames = frames_of(5, 70)
    frames[35:] = [cv2.resize(picture[30:150, 50:263], (WIDTH, HEIGHT)) for picture in frames[35:]]
    frames[34:36] = [dissolve(picture, np.full_like(picture, 255), 0.8) for picture in frames[34:36]]
    ((start, _),) = shots_of(write(tmp_path / "clip.mp4", frames), tmp_path)
    assert 34 <= start <= 36


@pytest.mark.parametrize("seed", [1, 5])
def test_a_wipe_between_pictures_with_equal_black_bars_is_found(seed, tmp_path):
    old, new = frames_of(seed, 45), frames_of(seed + 1, 45)
    mixed = [
        np.hstack([b[:, : at * WIDTH // 11], a[:, at * WIDTH // 11 :]]) for at, (a, b) in enumerate(zip(old[35:], new, strict=False), 1)
    ]
    frames = [picture.copy() for picture in old[:35] + mixed + new[10:]]
    for picture in frames:
        picture[:22] = picture[-23:] = 0
    ((start, kind),) = shots_of(write(tmp_path / "clip.mp4", frames), tmp_path)
    assert kind == "dissolve"
    assert 35 <= start <= 45
