"""The camera follows the background when a matte says where the subject is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.motion.camera import Camera

WIDTH, HEIGHT, FRAMES, PAN = 480, 270, 12, 3.0


def textured(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width)).astype(np.uint8)
    return np.asarray(cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 20, 235, cv2.NORM_MINMAX), np.uint8)  # type: ignore[call-overload]


def end_of_path(*, masked: bool) -> float:
    """How far the camera is said to have panned, in pixels, past a large subject that walks against it."""
    wall, subject = textured(WIDTH + 100, HEIGHT, 1), textured(WIDTH, HEIGHT, 2)
    camera = Camera("similarity", WIDTH, HEIGHT)
    moved = 0.0
    for k in range(FRAMES):
        picture = wall[:, round(PAN * k) : round(PAN * k) + WIDTH].copy()
        matte = np.zeros((HEIGHT, WIDTH), np.uint8)
        left = 40 + 6 * k
        matte[20:, left : left + 300] = 255
        picture[20:, left : left + 300] = subject[20:, :300]
        moved = float(camera.step(picture, matte if masked else None).matrix[0, 2])
    return moved


def test_a_large_subject_does_not_lead_a_masked_camera_astray() -> None:
    assert abs(end_of_path(masked=True) - PAN * (FRAMES - 1)) < 0.3


def test_without_the_matte_the_subject_is_followed() -> None:
    assert abs(end_of_path(masked=False) - PAN * (FRAMES - 1)) > 5
