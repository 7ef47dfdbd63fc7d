"""Optical flow on pictures with known motion."""

import numpy as np
import pytest

from services.speed_ramp.motion.camera import length
from services.speed_ramp.motion.measure import Meter, analysis_size
from services.speed_ramp.motion.trace import without_cuts


def texture(seed: int, *, height: int = 200, width: int = 400) -> np.ndarray:
    """Draw smooth blobs of several sizes, uint8."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width))
    for size in (4, 8, 16, 32):
        coarse = rng.normal(size=(height // size + 2, width // size + 2))
        y, x = np.arange(height) / size, np.arange(width) / size
        fy, fx = (y % 1)[:, None], (x % 1)[None, :]
        iy, ix = y.astype(int)[:, None], x.astype(int)[None, :]
        top = coarse[iy, ix] * (1 - fx) + coarse[iy, ix + 1] * fx
        total += (top * (1 - fy) + (coarse[iy + 1, ix] * (1 - fx) + coarse[iy + 1, ix + 1] * fx) * fy) * size
    total -= total.min()
    return (total / total.max() * 219 + 16).astype(np.uint8)


@pytest.mark.parametrize("shift", [1, 3, 8, 16])
def test_a_pan_is_measured_as_camera_motion(shift: int) -> None:
    picture = texture(1)
    step = Meter()(picture[20:164, 20:276].copy(), picture[20:164, 20 + shift : 276 + shift].copy())
    assert -step.camera[0, 0] * np.hypot(256, 144) == pytest.approx(shift, abs=0.16)
    assert length(step.camera, 256, 144) * np.hypot(256, 144) == pytest.approx(shift, abs=0.4)
    assert step.subject * np.hypot(256, 144) < 0.4
    assert not step.cut


def test_a_small_fast_subject_is_measured() -> None:
    before, after = texture(2)[:144, :256].copy(), texture(2)[:144, :256].copy()
    body = texture(3)[:60, :80]
    before[40:100, 60:140], after[40:100, 70:150] = body, body
    step = Meter()(before, after)
    assert step.subject > 0.5 * 10 / np.hypot(256, 144)
    assert length(step.camera, 256, 144) < 0.1 * 10 / np.hypot(256, 144)


def test_a_still_picture_and_a_plain_one_do_not_move() -> None:
    picture = texture(4)[:144, :256].copy()
    plain = np.full((144, 256), 80, np.uint8)
    for step in (Meter()(picture, picture), Meter()(plain, plain)):
        assert step.subject < 1e-4
        assert np.abs(step.camera).max() < 1e-4


def test_cuts_and_flashes_are_distinguished_from_motion() -> None:
    first, other = texture(5)[:144, :256].copy(), texture(6)[:144, :256].copy()
    white = np.full_like(first, 235)
    assert Meter()(first, other).cut
    assert Meter()(first, white).cut
    assert Meter()(white, first).cut


def test_cuts_and_flashes_are_replaced_and_long_unrest_is_kept() -> None:
    times = np.arange(1, 11) / 10
    values = np.array([1, 9, 1, 1, 7, 7, 1, 5, 5, 5], dtype=float)
    wild = values > 1
    fixed, cuts = without_cuts(times, values[:, None], wild)
    assert fixed[:, 0].tolist() == [1, 1, 1, 1, 1, 1, 1, 5, 5, 5]
    assert cuts == [0.2, 0.5]


def test_nothing_but_cuts_is_no_motion() -> None:
    values, cuts = without_cuts(np.array([0.1]), np.array([[3.0]]), np.array([True]))
    assert values.tolist() == [[0]]
    assert cuts == [0.1]


@pytest.mark.parametrize(
    ("size", "expected"), [((1920, 1080), (256, 144)), ((1080, 1920), (144, 256)), ((64, 48), (64, 48)), ((4000, 20), (256, 32))]
)
def test_the_analysis_size_keeps_the_shape_within_bounds(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert analysis_size(*size) == expected


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in size"):
        Meter()(np.zeros((40, 40), np.uint8), np.zeros((40, 50), np.uint8))
