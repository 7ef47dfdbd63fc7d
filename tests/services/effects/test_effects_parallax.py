"""Things near a drifting camera: they stand still, and yet move in the picture."""

import numpy as np
import pytest

from shared.video import VideoWriter
from tests.services.effects.effect_clips import HEIGHT, WIDTH, Gray, ground, lumas, trails_of, view, write

POST = ground(7, low=190, high=240)[60:HEIGHT, :24]
FRAMES, LOOKED_AT, CAMERA, REACH = 45, 30, 2, 6 * 5
"""Frames of the clip, examined frame, camera pixels per frame, trail length in frames."""


def street(near: int):
    """Return a function that draws frame `index`: a camera drifts past a post that moves by `near` pixels in a frame."""

    def luma(index: int) -> Gray:
        picture = view(ground(1), (200 + CAMERA * index, 200)).copy()
        left = 280 - near * index
        picture[60:, left : left + 24] = POST
        return picture

    return luma


def changes(path, output, **params) -> Gray:
    """Return how much the examined frame changes, in levels."""
    trails_of(path, output, **params)
    return np.abs(lumas(path)[LOOKED_AT].astype(int) - lumas(output)[LOOKED_AT])


@pytest.mark.parametrize("ghost", ["normal", "glow", "shadow"])
def test_things_as_far_as_the_scene_leave_no_trail(ghost, tmp_path):
    path = write(tmp_path / "clip.mp4", street(near=CAMERA), frames=FRAMES)
    assert changes(path, tmp_path / "out.mp4", ghost=ghost).max() < 25


def test_a_little_parallax_leaves_no_echo(tmp_path):
    path = write(tmp_path / "clip.mp4", street(near=CAMERA + 1), frames=FRAMES)
    assert changes(path, tmp_path / "out.mp4").max() < 25


@pytest.mark.parametrize("ghost", ["normal", "glow", "shadow"])
def test_the_trail_of_a_near_thing_lies_on_its_way_only(ghost, tmp_path):
    near = 5
    path = write(tmp_path / "clip.mp4", street(near), frames=FRAMES)
    changed = changes(path, tmp_path / "out.mp4", ghost=ghost)
    left = 280 - near * LOOKED_AT
    way = slice(left - 12, left + 24 + (near - CAMERA) * REACH + 12)
    assert changed[60:, way].max() > 25
    outside = changed.copy()
    outside[48:, way] = 0
    assert outside.max() < 25


@pytest.mark.parametrize("ghost", ["normal", "glow", "shadow"])
def test_with_a_matte_near_things_leave_no_trail(ghost, tmp_path):
    path, matte = write(tmp_path / "clip.mp4", street(near=5), frames=FRAMES), tmp_path / "matte.mp4"
    subject = np.zeros((HEIGHT, WIDTH), np.uint8)
    subject[4:20, 4:20] = 255
    with VideoWriter(matte, width=WIDTH, height=HEIGHT, frame_rate=30, pixel_format="gray") as writer:
        for index in range(FRAMES):
            writer.write((subject,), index)
    assert changes(path, tmp_path / "out.mp4", ghost=ghost, matte=matte)[60:].max() < 25
