"""Motion masks near the picture's edges, and the movement of ghosts' planes."""

import cv2
import numpy as np
import pytest

from services.effects.scene.motion_mask import cleaned, differing
from services.effects.scene.warp import warped_piece

WIDTH, HEIGHT = 160, 90


def scene(left: int, top: int) -> np.ndarray:
    """Return the view of a wide drawn scene at a place."""
    rough = np.random.default_rng(5).integers(0, 255, (30, 50, 3), np.uint8)
    wide = cv2.resize(rough, (400, 240), interpolation=cv2.INTER_CUBIC)
    return wide[top : top + HEIGHT, left : left + WIDTH].copy()


def moved(across: float, down: float) -> np.ndarray:
    return np.array([[1, 0, across], [0, 1, down], [0, 0, 1.0]])


@pytest.mark.parametrize("drift", [(7, 0), (0, 5), (6, 4), (-5, 3)])
def test_edges_that_one_frame_shows_are_compared_with_further_frames(drift):
    across, down = drift
    frame = scene(100, 80)
    spots = [(slice(0, 8), slice(0, 8)), (slice(82, 90), slice(152, 160)), (slice(40, 48), slice(0, 8)), (slice(0, 8), slice(70, 78))]
    for spot in spots:
        frame[spot] = 255 - frame[spot]
    steps = [-3, 3, 2, -2, 1, -1]
    others = [(scene(100 + step * across, 80 + step * down), moved(step * across, step * down), None) for step in steps]
    mask, known = differing(frame, others, threshold=24)
    # Pixels within two of a frame's edge are mixed with what the frame does not show.
    shown = np.zeros((HEIGHT, WIDTH), int)
    for _, matrix, _ in others:
        inside = cv2.warpPerspective(np.ones((HEIGHT, WIDTH), np.uint8), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)
        shown += cv2.erode(inside, np.ones((5, 5), np.uint8), borderValue=1)
    assert (known == (shown >= 2)).all()
    assert known.mean() > 0.9
    still = np.ones((HEIGHT, WIDTH), bool)
    for rows, columns in spots:
        assert mask[rows, columns][known[rows, columns]].mean() > 100
        still[max(rows.start - 2, 0) : rows.stop + 2, max(columns.start - 2, 0) : columns.stop + 2] = False
    assert not mask[still].any()


@pytest.mark.parametrize("corner", [(0, 0), (0, 110), (50, 0), (50, 110), (25, 60)])
def test_holes_are_filled_and_the_scene_beside_a_subject_is_not(corner):
    top, left = corner
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top : top + 40, left : left + 50] = 255
    mask[top + 15 : top + 25, left + 20 : left + 30] = 0
    filled = cleaned(mask)
    assert (filled[top + 2 : top + 38, left + 2 : left + 48] == 255).all()
    assert filled[max(top - 2, 0) : top + 42, max(left - 2, 0) : left + 52].astype(bool).sum() == np.count_nonzero(filled)


@pytest.mark.parametrize("shift", [(3, -2), (0.4, 0.7), (-12.25, 8.5), (-40.3, 0.2), (30.5, -30.75)])
@pytest.mark.parametrize("planes", [1, 3])
def test_a_shifted_ghost_equals_a_warped_one(shift, planes):
    piece = np.ascontiguousarray(scene(20, 20)[:40, :60, :planes])
    outside = (16.0, 128.0, 128.0)[:planes]
    source, target = (slice(20, 60), slice(30, 90)), (slice(10, 80), slice(5, 150))
    whole = np.zeros((HEIGHT, WIDTH, planes), np.uint8) + np.array(outside, np.uint8)
    whole[source] = piece
    expected = cv2.warpAffine(whole, moved(*shift)[:2], (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderValue=outside)
    shifted = warped_piece(piece, moved(*shift), outside, source=source, target=target)
    # A warp counts in steps of 1/32 pixel.
    assert np.abs(shifted.astype(int) - expected.reshape(whole.shape)[target]).max() <= 4
