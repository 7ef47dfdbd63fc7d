"""The user's masks of several frames."""

import zipfile

import cv2
import numpy as np
import pytest

from services.matting.reading.masks import Target, given_masks
from shared.errors import Invalid
from tests.services.matting.matte_clips import Heard

TARGET = Target(width=64, height=36, scaled=(32, 18), rate=25, start_s=2, frames=100)


def archive(folder, *names):
    pixels = np.zeros((36, 64), np.uint8)
    pixels[10:20, 10:30] = 255
    with zipfile.ZipFile(folder / "masks.zip", "w") as file:
        for name in names:
            file.writestr(name, cv2.imencode(".png", pixels)[1].tobytes())
    return folder / "masks.zip"


def test_masks_are_named_by_frame_of_the_part_or_by_time_of_the_clip(tmp_path):
    heard = Heard()
    masks = given_masks(None, archive(tmp_path, "7.png", "frame-000012.png", "3.2s.png", "1.5s.png", "7s.png"), TARGET, heard)
    assert sorted(masks) == [7, 12, 30]
    assert all(mask.shape == (18, 32) and mask.max() == 255 for (mask,) in masks.values())
    assert heard.warnings == ["Masks for frames outside the part were not used: 2."]


def test_a_name_without_frame_or_time_is_refused(tmp_path):
    with pytest.raises(Invalid, match=r"'first.png' names neither a frame \(120.png\) nor a time \(4.8s.png\)"):
        given_masks(None, archive(tmp_path, "first.png"), TARGET, Heard())
