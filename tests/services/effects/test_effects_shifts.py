"""Matrices that only shift take a short way, which gives what matrices give."""

import math

import cv2
import numpy as np
import pytest

from services.effects.scene.warp import moved_area, shift_of
from shared.motion.camera import Pose, matrix_between, pure_shift, scale_matrix, shift_matrix

SHIFTS = ((0.0, 0.0), (3.25, -7.5), (-120.0625, 41.3))
SIZES = ((0.25, 0.25), (1 / 3, 0.5), (1281 / 320, 721 / 180))


@pytest.mark.parametrize(("right", "down"), SHIFTS)
def test_a_shift_is_told_from_other_motions(right, down):
    assert pure_shift(shift_matrix(right, down)) == (right, down)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)):
        other = shift_matrix(right, down)
        other[row, column] += 1e-9
        assert pure_shift(other) is None, (row, column)


@pytest.mark.parametrize(("across", "down"), SIZES)
def test_a_shift_is_scaled_as_matrices_are(across, down):
    enlargement = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    for shift in SHIFTS:
        expected = enlargement @ shift_matrix(*shift) @ np.linalg.inv(enlargement)
        assert scale_matrix(shift_matrix(*shift), across, down) == pytest.approx(expected, abs=1e-9)


def test_two_shifts_give_the_matrix_between_them():
    source, target = (Pose(shift_matrix(*shift)) for shift in SHIFTS[1:])
    assert matrix_between(source, target) == pytest.approx(np.linalg.inv(target.matrix) @ source.matrix, abs=1e-9)


@pytest.mark.parametrize(("right", "down"), SHIFTS)
def test_a_shifted_area_holds_its_moved_corners(right, down):
    matrix, area = shift_matrix(right, down), (slice(10, 31), slice(5, 88))
    corners = np.array([[[x, y] for x in (5, 88) for y in (10, 31)]], np.float64)
    (left, top), (end, bottom) = (pick(cv2.perspectiveTransform(corners, matrix)[0], axis=0) for pick in (np.min, np.max))
    expected = slice(math.floor(top) - 1, math.ceil(bottom) + 1), slice(math.floor(left) - 1, math.ceil(end) + 1)
    assert moved_area(area, matrix) == expected
    assert shift_of(matrix, (320, 180)) == pytest.approx((right, down), abs=1e-9)
