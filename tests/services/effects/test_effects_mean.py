"""Weighted means of full-size pictures, compared with plain arithmetic."""

import tracemalloc

import cv2
import numpy as np
import pytest

from services.effects.scene.warp import between_pixels, moved_piece
from services.effects.trails.weighted_mean import Part, ShiftedPicture, mix_parts, mix_whole, mixing_bytes, shares_of


def picture(seed, dtype=np.uint8, width=160, height=90):
    top = np.iinfo(dtype).max
    noise = cv2.GaussianBlur(np.random.default_rng(seed).random((height, width)).astype(np.float32), (0, 0), 2)
    luma = np.rint((noise - noise.min()) / np.ptp(noise) * top).astype(dtype)
    return luma, luma[::2, ::2].copy(), luma[1::2, 1::2].copy()


def mixed(frame, ghosts, weight):
    out = tuple(np.zeros_like(plane) for plane in frame)
    mix_whole(out, frame, ghosts, weight)
    return out


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_layers_without_motion_give_the_exact_mean_rounded_once(dtype):
    pictures = [picture(seed, dtype) for seed in range(7)]
    weights = [0.7**number for number in range(7)]
    out = mixed(
        pictures[0], [ShiftedPicture(layer, (0, 0), weight) for layer, weight in zip(pictures[1:], weights[1:], strict=True)], weights[0]
    )
    for number in range(3):
        exact = sum(layer[number].astype(float) * weight for layer, weight in zip(pictures, weights, strict=True)) / sum(weights)
        assert np.abs(out[number] - exact).max() <= (0.501 if dtype == np.uint8 else 0.6)


def test_a_layer_out_of_view_leaves_the_others_as_they_are():
    frame, near, far = picture(1), picture(2), picture(3)
    without = mixed(frame, [ShiftedPicture(near, (2, 0), 0.7)], 1.0)
    assert all(
        np.array_equal(*pair)
        for pair in zip(mixed(frame, [ShiftedPicture(near, (2, 0), 0.7), ShiftedPicture(far, (0, 95), 0.5)], 1.0), without, strict=True)
    )
    assert all(np.array_equal(*pair) for pair in zip(mixed(frame, [], 1.0), frame, strict=True))


@pytest.mark.parametrize("shift", [(7, -4), (6.2, 0.3), (-10.4, 3.6), (200, 0), (0, -90), (158, 1)])
def test_a_moved_layer_counts_inside_its_picture_and_the_frame_outside(shift):
    frame, ghost = picture(1), picture(2)
    out = mixed(frame, [ShiftedPicture(ghost, shift, 1.0)], 1.0)
    matrix = np.array([[1, 0, round(shift[0])], [0, 1, round(shift[1])]], np.float64)
    moved = cv2.warpAffine(ghost[0], matrix, (160, 90), flags=cv2.INTER_LINEAR).astype(float)
    # 255 where the moved picture and its neighbours are whole, 3 % of the smaller side inside.
    covered = cv2.warpAffine(np.full((90, 160), 255, np.uint8), matrix, (160, 90))
    inner = cv2.erode(covered, np.ones((11, 11), np.uint8), borderValue=255) == 255
    assert np.abs(out[0] - (frame[0] + moved) / 2)[inner].max(initial=0) <= 1.1
    assert np.array_equal(out[0][covered == 0], frame[0][covered == 0])
    between = (np.minimum(frame[0], moved) - 1.1 <= out[0]) & (out[0] <= np.maximum(frame[0], moved) + 1.1)
    assert between[covered == 255].all()


def test_parts_are_mixed_by_their_shares_and_the_rest_stays():
    frame, ghosts = picture(1), [picture(2), picture(3)]
    weights = [np.zeros((90, 160), np.float32) for _ in ghosts]
    weights[0][20:60, 30:90], weights[1][40:80, 60:120] = 0.7, 0.49
    parts = [Part(ghost, np.eye(3), share) for ghost, share in zip(ghosts, shares_of(weights, 1.0), strict=True)]
    out = tuple(np.zeros_like(plane) for plane in frame)
    mix_parts(out, frame, parts)
    total = 1 + weights[0] + weights[1]
    exact = (frame[0] + weights[0] * ghosts[0][0] + weights[1] * ghosts[1][0]) / total
    assert np.abs(out[0] - exact).max() <= 2
    assert np.array_equal(out[0][:18], frame[0][:18])
    assert np.array_equal(out[1][:9], frame[1][:9])


def test_many_strong_ghosts_do_not_brighten_the_picture():
    frame = tuple(np.full_like(plane, 200) for plane in picture(1))
    weights = [np.full((23, 40), 0.98**number, np.float32) for number in range(1, 41)]
    parts = [Part(frame, np.eye(3), share) for share in shares_of(weights, 1.0)]
    out = tuple(np.zeros_like(plane) for plane in frame)
    mix_parts(out, frame, parts)
    assert all((plane == 200).all() for plane in out)


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_mixing_takes_no_more_memory_than_estimated(count, dtype):
    frame, ghost = picture(1, dtype, width=960, height=540), picture(2, dtype, width=960, height=540)
    out = tuple(np.zeros_like(plane) for plane in frame)
    matrix = np.array([[1, 0, 3.5], [0, 1, -2.5], [0, 0, 1]], np.float64)
    parts = [Part(ghost, matrix, np.full((135, 240), 255 // count, np.uint8)) for _ in range(count)]
    tracemalloc.start()
    try:
        mix_parts(out, frame, parts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= mixing_bytes(sum(plane.size for plane in frame), frame[0].itemsize)
    assert np.abs(out[0].astype(int) - frame[0]).max() > 0


@pytest.mark.parametrize("shift", [(3, -2), (3.5, -2.5), (-20.45, 7.4), (0, -0.6), (300, 0)])
def test_a_piece_moved_by_slicing_equals_a_warped_one(shift):
    source = picture(4)[0]
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]], np.float64)
    warped = cv2.warpAffine(source, matrix[:2], (160, 90), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(moved_piece(source, matrix, (160, 90)).astype(int) - warped).max() <= 2


def test_a_fractional_shift_is_split_between_two_pixels():
    assert between_pixels(2.2) == [(2, 1.0)]
    assert between_pixels(-0.3) == [(0, 1.0)]
    assert [(whole, round(share, 6)) for whole, share in between_pixels(-1.4)] == [(-2, 0.4), (-1, 0.6)]
