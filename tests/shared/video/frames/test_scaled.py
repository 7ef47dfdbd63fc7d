"""Scaling: area means in smaller pictures, smooth values in larger pictures."""

import cv2
import numpy as np

from shared.video.frames.scaling import scaled

STEP = np.repeat(np.array([[0, 0, 255, 255]], np.uint8), 4, axis=0)


def test_a_larger_picture_repeats_no_pixels():
    large = scaled(STEP, (16, 16))
    assert (large.shape, large.dtype) == ((16, 16), np.uint8)
    assert np.all(np.diff(large[0, 5:11].astype(int)) > 0)
    assert scaled(np.dstack([STEP] * 3).astype(np.float32), (5, 4)).shape == (4, 5, 3)


def test_a_smaller_picture_has_area_means():
    noise = np.random.default_rng(1).integers(0, 256, (16, 24), np.uint8)
    assert np.array_equal(scaled(noise, (6, 4)), cv2.resize(noise, (6, 4), interpolation=cv2.INTER_AREA))
    assert scaled(noise, (24, 16)) is noise
