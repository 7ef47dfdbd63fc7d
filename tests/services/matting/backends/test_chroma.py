"""The chroma keyer and the screen detector on rendered clips with known alpha.

The seeds differ from those used to tune the keyer.
"""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks.material.screen_clips import KINDS, render, scene_of
from services.matting.chroma.keyer import Keyer, KeyerControls
from services.matting.chroma.screen import Screen, detect_screen, find_screen, screen_of
from services.matting.metrics.errors import dtssd, mad

SEED = 101


@pytest.fixture(scope="module")
def clips():
    return {kind: list(render(scene_of(kind, SEED, 480, 270), 3)) for kind in KINDS}


def keyed(frames, **options):
    screen = find_screen(frames[0].picture)
    assert screen is not None
    keyer = Keyer(screen)
    return [keyer.key(frame.picture, **options) for frame in frames]


@pytest.mark.parametrize(("kind", "most"), [("strands", 14.0), ("motion blur", 3.0), ("veil", 20.0)])
def test_mattes_are_close_to_the_true_ones(clips, kind, most):
    frames = clips[kind]
    results = keyed(frames)
    assert np.mean([mad(result.alpha, frame.alpha) for result, frame in zip(results, frames, strict=True)]) < most
    assert dtssd(results[-1].alpha, results[-2].alpha, frames[-1].alpha, frames[-2].alpha) < 8


def test_the_screen_is_empty_and_the_subject_solid(clips):
    frame = clips["strands"][-1]
    alpha = keyed(clips["strands"])[-1].alpha
    assert alpha.dtype == np.float32
    assert alpha.shape == frame.alpha.shape
    assert alpha[:, -60:].mean() < 1e-4
    assert alpha[:, -60:].max() < 0.1
    solid = cv2.erode((frame.alpha == 1).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    # The patch of grayish green on the clothes is among it.
    assert (alpha[solid] > 0.98).mean() > 0.995


def test_foreground_is_free_of_the_screen(clips):
    frame, result = clips["strands"][-1], keyed(clips["strands"], foreground=True)[-1]
    rim = (frame.alpha > 0.3) & (frame.alpha < 0.95)
    spill = (frame.picture.astype(np.float32) - frame.foreground)[rim]
    left = (result.foreground.astype(np.float32) - frame.foreground)[rim]
    assert np.abs(left).mean() < 0.6 * np.abs(spill).mean()
    assert np.maximum(left[:, 1], 0).mean() < 0.3 * np.maximum(spill[:, 1], 0).mean()


def test_a_subject_with_a_tint_of_the_screen_is_opaque():
    scene = replace(scene_of("veil", SEED, 480, 270), base=(190.0, 210.0, 190.0))
    frames = list(render(scene, 3))
    results = keyed(frames)
    for result, frame in zip(results, frames, strict=True):
        assert result.alpha[frame.alpha == 1].mean() > 0.97
    assert dtssd(results[2].alpha, results[1].alpha, frames[2].alpha, frames[1].alpha) < 4


def test_a_blue_screen_is_keyed():
    frames = list(render(scene_of("veil", SEED, 480, 270, screen="blue"), 2))
    assert find_screen(frames[0].picture).name == "blue"
    assert mad(keyed(frames)[-1].alpha, frames[-1].alpha) < 30


def test_a_thin_part_that_moves_fast_before_a_screen_of_the_opposite_colour_is_not_opaque():
    # The moving bar is yellow before blue, and covers at most half of each pixel.
    truth = list(render(scene_of("motion blur", 5, 960, 540, "blue"), 3))
    keyer = Keyer(find_screen(truth[0].picture))
    errors = [mad(keyer.key(frame.picture).alpha, frame.alpha) for frame in truth]
    assert max(errors) < 2


def test_the_plate_is_remembered_where_the_subject_stands():
    base = np.full((180, 320, 3), (50, 160, 60), np.float32) * np.linspace(0.75, 1, 320, dtype=np.float32)[None, :, None]
    picture = base.astype(np.uint8)
    covered = picture.copy()
    covered[40:, 60:260] = (120, 90, 80)
    keyer = Keyer(Screen(1, (45.0, 140.0, 52.0), 0.8))
    keyer.key(picture)
    plate = cv2.resize(keyer._memory.update(covered), (320, 180))
    assert np.abs(plate - base).max() < 4


def test_garbage_and_core_masks_and_settings_take_effect(clips):
    picture = clips["veil"][0].picture
    keyer = Keyer(find_screen(picture), KeyerControls(clip_white=0.6))
    garbage, core = np.zeros((2, *picture.shape[:2]), np.uint8)
    garbage[:, :240], core[:, 300:] = 255, 255
    alpha = keyer.key(picture, garbage=garbage, core=core).alpha
    assert alpha[:, :240].max() == 0
    assert alpha[:, 300:].min() == 1
    assert (keyer.key(picture).alpha == 1).sum() > (Keyer(find_screen(picture)).key(picture).alpha == 1).sum()


def test_a_given_plate_replaces_the_estimated_one(clips):
    frame = clips["motion blur"][0]
    keyer = Keyer(find_screen(frame.picture), plate=np.clip(frame.plate, 0, 255).astype(np.uint8))
    assert mad(keyer.key(frame.picture).alpha, frame.alpha) < 3


def test_an_empty_screen_gives_an_empty_matte(clips):
    noise = np.random.default_rng(1).normal(0, 2, (3, *clips["veil"][0].plate.shape))
    keyer = Keyer(find_screen(clips["veil"][0].picture))
    for grain in noise:
        picture = np.clip(clips["veil"][0].plate + grain, 0, 255).astype(np.uint8)
        assert keyer.key(picture).alpha.mean() < 2e-3


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (17, 31), (270, 479)])
def test_every_size_is_keyed(size):
    picture = np.full((*size, 3), (50, 160, 60), np.uint8)
    result = Keyer(Screen(1, (50.0, 160.0, 60.0), 1.0)).key(picture, foreground=True)
    assert result.alpha.shape == size
    assert result.foreground.shape == picture.shape


@pytest.mark.parametrize("screen", ["green", "blue"])
@pytest.mark.parametrize("kind", KINDS)
def test_screens_are_detected(kind, screen):
    frames = render(scene_of(kind, SEED + 1, 320, 180, screen=screen), 1)
    assert detect_screen([frame.picture for frame in frames]).name == screen


def test_grass_and_sky_are_no_screens():
    random = np.random.default_rng(3)
    y = np.linspace(0, 1, 180)[:, None, None]
    sky = np.broadcast_to(np.float32([70, 130, 220]) * (1 - 0.2 * y), (180, 320, 3))
    blades = cv2.GaussianBlur(random.normal(0, 1, (180, 320)).astype(np.float32), (0, 0), 1.5)[..., None] * 4
    grass = np.float32([55, 125, 45]) * (1 + 0.25 * blades)
    meadow = np.where(y > 0.5, grass, sky)
    for scene in (sky, grass, meadow, np.full((180, 320, 3), 90.0)):
        assert detect_screen([np.clip(scene + random.normal(0, 2, scene.shape), 0, 255).astype(np.uint8)] * 3) is None


def test_a_colour_without_green_or_blue_is_no_screen():
    assert screen_of((120, 110, 100)) is None
    assert screen_of((20, 60, 180)).name == "blue"
