"""The difference backend on subjects rendered before a room.

With shadow, other exposure and noise.
"""

import cv2
import numpy as np
import pytest

from benchmarks.material.screen_clips import render, scene_of
from services.matting.backends.backend import Setup, View
from services.matting.backends.difference import DifferenceOptions, open_difference
from services.matting.difference.exposure import match_exposure
from services.matting.difference.fit import plate_fit
from services.matting.difference.matte import difference_matte
from services.matting.metrics.errors import mad
from tests.warning_log import WarningLog

H, W = 360, 640


def room(seed, size=(H, W)):
    """Draw a textured room, float32 (H, W, 3)."""
    random = np.random.default_rng(seed)
    planes = []
    for _ in range(3):
        plane = np.zeros(size, np.float32)
        for cell, amount in ((90, 45), (23, 25), (7, 10)):
            grid = random.normal(0, amount, (size[0] // cell + 2, size[1] // cell + 2)).astype(np.float32)
            plane += cv2.resize(grid, size[::-1], interpolation=cv2.INTER_CUBIC)
        planes.append(plane)
    return np.clip(120 + np.stack(planes, 2), 8, 240)


def shot(frame, scene, *, gain=(1.0, 1.0, 1.0), noise=2.0, shadow=True, seed=5):
    """Composite the subject of `frame` over `scene` with gain, noise and shadow, uint8."""
    shade = np.ones(scene.shape[:2], np.float32)
    if shadow:
        cv2.ellipse(shade, (480, 330), (120, 40), 0, 0, 360, 0.7, -1)
        shade = cv2.GaussianBlur(shade, (0, 0), 12)
    alpha = frame.alpha[..., None]
    mixed = alpha * frame.foreground + (1 - alpha) * scene * shade[..., None]
    mixed = mixed * np.float32(gain) + np.random.default_rng(seed).normal(0, noise, mixed.shape)
    return np.clip(mixed, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def frames():
    return {kind: next(iter(render(scene_of(kind, 104, W, H), 1))) for kind in ("strands", "motion blur")}


def picture_of(scene):
    return np.clip(scene, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (1.12, 1.08, 1.02)])
def test_the_subject_is_found_and_its_shadow_left_out(frames, gain):
    frame, scene = frames["strands"], room(1)
    result = difference_matte(shot(frame, scene, gain=gain), picture_of(scene))
    assert result.alpha.shape == (H, W)
    assert mad(result.alpha, frame.alpha) < 30
    assert result.alpha[290:350, 420:600][frame.alpha[290:350, 420:600] == 0].mean() < 0.05
    solid = cv2.erode((frame.alpha == 1).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert result.alpha[solid].mean() > 0.97


def test_shadows_stay_on_request(frames):
    scene = room(1)
    picture = shot(frames["motion blur"], scene)
    area = np.s_[310:350, 430:530]
    assert difference_matte(picture, picture_of(scene), shadow=1.0).alpha[area].mean() > 0.6
    assert difference_matte(picture, picture_of(scene)).alpha[area].mean() < 0.1


def test_an_empty_scene_stays_black():
    scene = room(2)
    noise = np.random.default_rng(1).normal(0, 2.5, scene.shape)
    assert difference_matte(picture_of(scene * 1.05 + noise), picture_of(scene)).alpha.mean() < 1e-3


def test_the_foreground_is_free_of_the_background(frames):
    frame, scene = frames["motion blur"], room(3)
    picture = shot(frame, scene, shadow=False)
    result = difference_matte(picture, picture_of(scene), foreground=True)
    rim = (frame.alpha > 0.4) & (frame.alpha < 0.95)
    left = np.abs(result.foreground.astype(np.float32) - frame.foreground)[rim].mean()
    assert left < 0.95 * np.abs(picture.astype(np.float32) - frame.foreground)[rim].mean()


def test_exposure_is_matched_beside_a_subject(frames):
    scene = room(1)
    picture = shot(frames["strands"], scene, gain=(1.15, 1.0, 0.9), shadow=False).astype(np.float32)
    matched = match_exposure(picture, scene)
    background = frames["strands"].alpha == 0
    assert np.abs(matched.plate[background] / scene[background] - (1.15, 1.0, 0.9)).max() < 0.03
    assert 1.5 <= matched.noise < 4


def test_a_plate_that_fits_is_accepted(frames):
    scene = room(4)
    fit = plate_fit(shot(frames["strands"], scene, gain=(1.1, 1.05, 1.0)), picture_of(scene))
    assert fit.problem is None
    assert 0.5 < fit.agreeing < 1


@pytest.mark.parametrize(
    ("plate", "problem"),
    [
        (lambda scene: picture_of(room(9)), "looks like the plate"),
        (lambda scene: picture_of(np.roll(scene, (5, 14), (0, 1))), "the plate is shifted by 1"),
        (lambda scene: picture_of(scene[:, :400]), "another aspect ratio"),
    ],
)
def test_a_plate_that_does_not_fit_is_refused_with_a_reason(frames, plate, problem):
    scene = room(4)
    assert problem in plate_fit(shot(frames["strands"], scene), plate(scene)).problem


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (33, 70)])
def test_every_size_is_processed(size):
    picture = np.full((*size, 3), 90, np.uint8)
    assert difference_matte(picture, picture, foreground=True).alpha.shape == size


def test_a_plate_that_ceases_to_fit_within_a_shot_gives_one_warning():
    scene = picture_of(room(1))
    progress = WarningLog()
    # The camera moves slowly, without a cut: 6 pixels a frame, after the first second.
    views = []
    for number in range(12):
        rgb = np.roll(scene, -max(number - 4, 0) * 6, axis=1)
        views.append(View(number, number / 4, rgb, rgb[..., 1], None, cut=number == 0))
    setup = Setup(width=W, height=H, frame_width=W, frame_height=H, frame_rate=4, frames=12, plate=scene)
    with open_difference(setup, DifferenceOptions(), progress) as opened:
        assert len(list(opened.mattes(iter(views)))) == 12
    (warning,) = progress.warnings
    assert warning.startswith("The clean plate does not fit the clip at 2.00 s: the camera has moved")
