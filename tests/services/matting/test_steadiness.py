"""Temporal smoothing along motion, and flicker measured without a true matte."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from services.matting.metrics.errors import dtssd, mad
from services.matting.metrics.flicker import FlickerMeter
from services.matting.steadiness.smoothing import MatteSmoother

H, W, N = 270, 480, 10


def texture(random, coarse):
    grid = random.normal(0, 1, (H // coarse + 1, 2 * W // coarse + 1)).astype(np.float32)
    return cv2.resize(grid, (2 * W, H), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def clip():
    """Draw luma, true mattes and flickering mattes of a moving body.

    The body moves 6 pixels per frame; edges and opacity flicker.
    """
    random = np.random.default_rng(11)
    scene, cloth = 110 + 25 * texture(random, 9), 140 + 30 * texture(random, 7)
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    grays, truths, mattes = [], [], []
    for number in range(N):
        truth = np.zeros((H, W), np.float32)
        cv2.ellipse(truth, (130 + 6 * number, 160), (60, 90), 8, 0, 360, 1, -1, cv2.LINE_AA)
        truth = cv2.GaussianBlur(truth, (0, 0), 1.5)
        moved = np.roll(cloth, 6 * number, 1)[:, :W]
        grays.append(np.clip(truth * moved + (1 - truth) * scene[:, :W], 0, 255).astype(np.uint8))
        jitter = [cv2.resize(random.normal(0, 3, (9, 16)).astype(np.float32), (W, H), interpolation=cv2.INTER_CUBIC) for _ in range(2)]
        opacity = cv2.resize(random.normal(0, 0.12, (9, 16)).astype(np.float32), (W, H), interpolation=cv2.INTER_CUBIC)
        shaken = cv2.remap(truth, x + jitter[0], y + jitter[1], cv2.INTER_LINEAR)
        mattes.append(np.clip(shaken * (1 - np.abs(opacity)), 0, 1).astype(np.float32))
        truths.append(truth)
    return grays, truths, mattes


def errors(mattes, truths):
    changes = [dtssd(b, a, tb, ta) for (a, ta), (b, tb) in pairwise(zip(mattes, truths, strict=True))]
    return np.mean(changes), np.mean([mad(matte, truth) for matte, truth in zip(mattes, truths, strict=True)])


def smoothed(grays, mattes, strength=0.6):
    steadier = MatteSmoother(strength)
    return [steadier.smooth(gray, matte) for gray, matte in zip(grays, mattes, strict=True)]


def test_mattes_flicker_less_and_stay_as_accurate(clip):
    grays, truths, mattes = clip
    change, error = errors(mattes, truths)
    steady_change, steady_error = errors(smoothed(grays, mattes), truths)
    assert steady_change < 0.9 * change
    assert steady_error < 1.1 * error


def test_a_plain_average_over_time_is_worse(clip):
    grays, truths, mattes = clip
    average = [mattes[0]]
    for matte in mattes[1:]:
        average.append(0.4 * matte + 0.6 * average[-1])
    change, error = errors(smoothed(grays, mattes), truths)
    plain_change, plain_error = errors(average, truths)
    assert change < plain_change
    assert error < plain_error


def test_strength_0_and_a_reset_change_nothing(clip):
    grays, _, mattes = clip
    assert all(np.array_equal(a, b) for a, b in zip(smoothed(grays, mattes, 0), mattes, strict=True))
    steadier = MatteSmoother()
    steadier.smooth(grays[0], mattes[0])
    steadier.reset()
    assert np.array_equal(steadier.smooth(grays[5], mattes[5]), mattes[5])


def test_a_subject_that_comes_into_view_is_not_held_back():
    gray = np.full((90, 160), 100, np.uint8)
    empty, full = np.zeros((90, 160), np.float32), np.ones((90, 160), np.float32)
    steadier = MatteSmoother()
    steadier.smooth(gray, empty)
    assert steadier.smooth(gray, full).min() > 0.99


@pytest.mark.parametrize("size", [(1, 1), (8, 12), (90, 33)])
def test_every_size_is_smoothed(size):
    gray, alpha = np.full(size, 90, np.uint8), np.full(size, 0.5, np.float32)
    steadier = MatteSmoother()
    steadier.smooth(gray, alpha)
    assert np.allclose(steadier.smooth(gray, alpha), 0.5, atol=1e-5)


def test_flicker_is_measured_along_the_motion(clip):
    grays, truths, mattes = clip

    def flicker(alphas):
        meter = FlickerMeter()
        values = [meter.measure(gray, alpha) for gray, alpha in zip(grays, alphas, strict=True)]
        assert values[0] is None
        return np.mean(values[1:])

    assert flicker(truths) < 0.4 * flicker(mattes)
    assert flicker(smoothed(grays, mattes)) < 0.8 * flicker(mattes)
