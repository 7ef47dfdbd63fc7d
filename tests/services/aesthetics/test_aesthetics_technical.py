"""Technical quality: each measure reacts to its own fault, hardly to others."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.aesthetics.measures.blank_frames import shows
from services.aesthetics.measures.exposure import exposure
from services.aesthetics.measures.motion_blur import steadiness
from services.aesthetics.measures.noise import cleanness, noise_level
from services.aesthetics.measures.sharpness import sharpness
from services.aesthetics.measures.technical_quality import SHOWS_FACTOR, WEIGHTS, Technical, technical
from services.aesthetics.reading.small_views import View
from services.aesthetics.selection.reasons import in_words
from services.aesthetics.selection.scoring import ScoredView
from tests.services.aesthetics.aesthetic_clips import scenery

Luma = NDArray[np.uint8]


@pytest.fixture(scope="module")
def good() -> Luma:
    return cv2.cvtColor(scenery(3, 480, 270), cv2.COLOR_RGB2GRAY)


def noisy(luma: Luma, sigma: float) -> Luma:
    return np.clip(luma + np.random.default_rng(0).normal(0, sigma, luma.shape), 0, 255).astype(np.uint8)


def words(measures: Technical) -> str:
    """Format measures as the text that explains a score."""
    view = View(source=0, small=np.zeros((1, 1, 3), np.uint8), technical=measures, thumbnail=np.zeros(768, np.uint8))
    return in_words(ScoredView(view=view, merit=1, score=1, std=None, distribution=None))


def smeared(luma: Luma, length: int, angle: float) -> Luma:
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    line = cv2.warpAffine(line, cv2.getRotationMatrix2D((length // 2, length // 2), angle, 1), (length, length))
    return cv2.filter2D(luma, -1, line / line.sum())


def test_sharpness_falls_with_every_step_of_blur(good):
    steps = [good, *(cv2.GaussianBlur(good, (0, 0), sigma) for sigma in (0.7, 1.5, 3, 6))]
    values = [np.mean(sharpness(step).directions) for step in steps]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.6
    assert values[-1] < 0.2
    assert steadiness(sharpness(steps[2]).directions) > 0.9


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_motion_in_any_direction_lowers_steadiness(good, angle):
    short, long = (steadiness(sharpness(smeared(good, length, angle)).directions) for length in (7, 21))
    assert steadiness(sharpness(good).directions) > 0.95
    assert long < short < 0.8
    assert long < 0.4


@pytest.mark.parametrize("share", [0.06, 0.12, 0.2])
def test_a_close_up_is_sharp_in_focus(good, share):
    """A sharp subject in front of a blurred background is rated as sharp.

    A wholly blurred picture rates as soft.
    """
    height, width = good.shape
    ground = cv2.GaussianBlur(good, (0, 0), 8)
    mask = np.zeros_like(good)
    side = int((share * height * width) ** 0.5)
    cv2.ellipse(mask, (width // 2, height // 2), (side // 2, side // 2), 0, 0, 360, 255, -1)
    alpha = cv2.GaussianBlur(mask, (0, 0), 3)[..., None] / 255
    close_up = (good[..., None] * alpha + ground[..., None] * (1 - alpha))[..., 0].astype(np.uint8)
    sharp, soft = technical(close_up, full_range=True), technical(cv2.GaussianBlur(close_up, (0, 0), 3), full_range=True)
    assert sharp.focus > 0.45 > sharp.sharpness
    assert "sharp in focus" in words(sharp)
    assert "soft" not in words(sharp)
    assert soft.focus < 0.4
    assert "soft" in words(soft) or "blurred" in words(soft)


def test_motion_does_not_pass_for_focus(good):
    for angle in (0, 45, 90):
        assert technical(smeared(cv2.GaussianBlur(good, (0, 0), 3), 21, angle), full_range=True).focus < 0.45


def test_noise_is_measured_in_8_bit_levels_without_texture(good):
    assert noise_level(good) < 1
    for sigma in (3, 8, 15):
        assert noise_level(noisy(good, sigma)) == pytest.approx(sigma, rel=0.2)
    assert cleanness(noisy(good, 15)) < 0.4 < 0.9 < cleanness(good)


def test_exposure_falls_towards_both_ends_and_for_flat_pictures(good):
    dark, bright = (good * 0.2).astype(np.uint8), np.clip(good.astype(int) * 3, 0, 255).astype(np.uint8)
    flat = (128 + (good.astype(float) - 128) * 0.1).astype(np.uint8)
    assert exposure(good) > 0.85
    assert max(exposure(dark), exposure(bright), exposure(flat)) < 0.4


def test_blank_frames_are_recognized(good):
    title = np.full((270, 480), 20, np.uint8)
    cv2.putText(title, "THE END", (110, 150), cv2.FONT_HERSHEY_SIMPLEX, 2, 240, 5)
    dim = noisy(np.full((270, 480), 4, np.uint8), 3)
    assert [shows(picture) for picture in (good, title, dim, np.full((270, 480), 130, np.uint8))] == ["picture", "title", "black", "plain"]
    fog = np.tile(np.linspace(90, 160, 480), (270, 1)).astype(np.uint8)
    assert shows(fog) == "picture"


def test_every_fault_lowers_the_score_and_the_weights_add_up_to_1(good):
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    best = technical(good, full_range=True)
    faulty = [cv2.GaussianBlur(good, (0, 0), 2), smeared(good, 15, 30), noisy(good, 6), noisy(good, 20), (good * 0.25).astype(np.uint8)]
    scores = [technical(picture, full_range=True).score for picture in faulty]
    assert min(scores) >= 1
    assert max(scores) < best.score - 0.3
    assert best.score <= 10
    assert technical(np.zeros_like(good), full_range=True).score == 1 + 9 * SHOWS_FACTOR["black"] == 1


def test_full_and_limited_range_give_the_same_measures(good):
    limited = np.rint(good * (219 / 255) + 16).astype(np.uint8)
    full, tv = technical(good, full_range=True), technical(limited, full_range=False)
    assert tv.exposure == pytest.approx(full.exposure, abs=0.02)
    assert tv.sharpness == pytest.approx(full.sharpness, abs=0.02)


@pytest.mark.parametrize("size", [(1, 1), (2, 700), (15, 16), (1080, 1920)])
def test_any_size_is_measured(size):
    measures = technical(np.random.default_rng(0).integers(0, 255, size).astype(np.uint8), full_range=True)
    assert 1 <= measures.score <= 10


@pytest.mark.parametrize("sigma", [2, 3, 5, 8, 12])
def test_noise_does_not_pass_for_sharpness(good, sigma):
    soft = technical(noisy(cv2.GaussianBlur(good, (0, 0), 3), sigma), full_range=True)
    assert max(soft.sharpness, soft.focus) < 0.45
    assert "sharp" not in words(soft)
    assert technical(noisy(good, min(sigma, 3)), full_range=True).sharpness > 0.45
