"""Error measures of mattes against a true matte."""

import cv2
import numpy as np
import pytest

from services.matting.metrics.errors import conn, dtssd, grad, mad, mse


@pytest.fixture
def truth():
    plane = np.zeros((60, 80), np.float32)
    cv2.circle(plane, (40, 30), 20, 1, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(plane, (0, 0), 2)


def test_a_true_matte_has_no_error(truth):
    assert mad(truth, truth) == mse(truth, truth) == grad(truth, truth) == conn(truth, truth) == 0
    assert dtssd(truth, truth, truth, truth) == 0


def test_units_are_those_of_the_literature():
    half, zero = np.full((10, 10), 0.5, np.float32), np.zeros((10, 10), np.float32)
    assert mad(half, zero) == pytest.approx(500)
    assert mse(half, zero) == pytest.approx(250)
    assert dtssd(half, zero, zero, zero) == pytest.approx(50)


def test_blur_and_holes_raise_the_gradient_error(truth):
    blurred = cv2.GaussianBlur(truth, (0, 0), 3)
    assert grad(blurred, truth) > 0.01
    assert grad(cv2.GaussianBlur(truth, (0, 0), 6), truth) > grad(blurred, truth)


def test_islands_are_disconnected_whatever_their_distance(truth):
    near, far = truth.copy(), truth.copy()
    near[28:32, 64:68], far[28:32, 74:78] = 1, 1
    assert conn(near, truth) == pytest.approx(16e-3, rel=0.2)
    assert conn(far, truth) == pytest.approx(16e-3, rel=0.2)
    assert conn(np.minimum(truth * 1.02, 1), truth) < 1e-3


def test_a_steady_offset_is_no_flicker(truth):
    lower = np.roll(truth, 2, 0)
    assert dtssd(truth * 0.5, lower * 0.5 + (truth - lower) * -0.5, truth, lower) == pytest.approx(0, abs=1e-5)
    assert dtssd(truth, truth, truth, lower) > 1
