"""Camera tracking with a subject mask: only the background counts."""

import cv2
import numpy as np
import pytest

from shared.motion.camera import Camera, Pose
from shared.motion.phase_correlation import PhaseCorrelation
from shared.motion.view import View, view_of

WIDTH, HEIGHT, FRAMES = 480, 270, 24
SPEED, SUBJECT_SPEED = 2.3, -3.0
"""Speeds of background and subject, in pixels per frame. The background moves left as the camera pans right, the subject moves against
it."""


def texture(seed: int, width: int, height: int, softness: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), softness)
    return np.clip(soft / soft.std() * 40 + 120, 0, 255).astype(np.float32)


def shifted(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """Cut out the view whose upper left corner lies at (`x`, `y`) in `picture`."""
    return cv2.warpAffine(picture, np.array([[1, 0, -x], [0, 1, -y]]), (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def clip() -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw luma and mask of each frame of a clip with a large subject.

    The subject fills 55 % of the picture and has a stronger texture than the background.
    """
    ground, body = texture(1, 800, 400, 2.5), texture(2, 800, 400, 2)
    frames = []
    for number in range(FRAMES):
        background = shifted(0.4 * ground + 70, 60 + SPEED * number, 50)
        subject = shifted(body, 200 - SUBJECT_SPEED * -number, 50 + 1.5 * number)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.rectangle(mask, (100 - number, 10), (400 - number, 250), 255, -1)
        frames.append((np.where(mask > 0, subject, background).clip(0, 255).astype(np.uint8), mask))
    return frames


def offsets(poses: list[Pose]) -> np.ndarray:
    return np.array([pose.matrix[:2, 2] for pose in poses])


TRUE = np.array([[SPEED * number, 0.0] for number in range(FRAMES)])


@pytest.mark.parametrize("model", ["translation", "similarity"])
def test_a_large_subject_misleads_the_camera_only_without_a_mask(model, clip):
    masked, plain = Camera(model, WIDTH, HEIGHT), Camera(model, WIDTH, HEIGHT)
    with_mask = [masked.step(luma, mask) for luma, mask in clip]
    assert all(pose.sure for pose in with_mask)
    assert [pose.cut for pose in with_mask] == [True] + [False] * (FRAMES - 1)
    assert np.abs(offsets(with_mask) - TRUE).max() < 0.3
    without = [plain.step(luma) for luma, _ in clip]
    assert np.abs(offsets(without) - TRUE).max() > 3


@pytest.mark.parametrize("model", ["translation", "similarity", "homography"])
def test_an_empty_mask_is_as_good_as_none(model):
    empty = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    lumas = [shifted(texture(1, 800, 400, 2.5), 60 + SPEED * number, 50).clip(0, 255).astype(np.uint8) for number in range(8)]
    masked, plain = Camera(model, WIDTH, HEIGHT), Camera(model, WIDTH, HEIGHT)
    for luma in lumas:
        assert np.allclose(masked.step(luma, empty).matrix, plain.step(luma).matrix, atol=0.05)


def test_a_subject_that_fills_the_picture_leaves_nothing_to_follow(clip):
    camera = Camera("similarity", WIDTH, HEIGHT)
    full = np.full((HEIGHT, WIDTH), 255, np.uint8)
    poses = [camera.step(luma, full) for luma, _ in clip[:3]]
    assert [pose.sure for pose in poses] == [True, False, False]
    view = view_of(clip[0][0], full)
    assert PhaseCorrelation((WIDTH, HEIGHT))(view, view, (0, 0)) is None
    assert PhaseCorrelation((WIDTH, HEIGHT))(View(clip[0][0]), View(clip[0][0]), (0, 0)) == (0, 0)
