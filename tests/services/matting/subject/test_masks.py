"""Masks of several frames, given by the user."""

import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest

from services.matting.reading.masks import Target, given_masks
from shared.errors import Invalid
from tests.warning_log import WarningLog

TARGET = Target(width=64, height=36, scaled=(32, 18), rate=25, start_s=2, frames=100)


def archive(folder, *names):
    pixels = np.zeros((36, 64), np.uint8)
    pixels[10:20, 10:30] = 255
    with zipfile.ZipFile(folder / "masks.zip", "w") as file:
        for name in names:
            file.writestr(name, cv2.imencode(".png", pixels)[1].tobytes())
    return folder / "masks.zip"


def test_masks_are_named_by_frame_of_the_part_or_by_time_of_the_clip(tmp_path):
    progress = WarningLog()
    masks = given_masks(None, archive(tmp_path, "7.png", "frame-000012.png", "3.2s.png", "1.5s.png", "7s.png"), TARGET, progress)
    assert sorted(masks) == [7, 12, 30]
    assert all(mask.shape == (18, 32) and mask.max() == 255 for subjects in masks.values() for mask in subjects.values())
    assert progress.warnings == ["Masks for frames outside the part were not used: 2."]


def test_a_name_without_frame_or_time_is_refused(tmp_path):
    with pytest.raises(Invalid, match=r"'first.png' contains neither a frame number \(120.png\) nor a time \(4.8s.png\)"):
        given_masks(None, archive(tmp_path, "first.png"), TARGET, WarningLog())


def test_times_mean_the_nearest_frame_of_a_clip_with_varying_times(tmp_path):
    # 10 frames per second for 2 s, then 50: the average rate names other frames.
    times = np.concatenate([np.arange(20) / 10, 2 + np.arange(100) / 50])
    target = replace(TARGET, start_s=0, rate=30, frames=120, times=lambda: times)
    assert sorted(given_masks(None, archive(tmp_path, "1.0s.png", "3.0s.png", "1.96s.png", "9s.png"), target, WarningLog())) == [10, 20, 70]
    later = replace(target, start_s=1, frames=110)
    assert sorted(given_masks(None, archive(tmp_path, "0.5s.png", "1.0s.png", "3.0s.png"), later, WarningLog())) == [0, 60]


def drawn(folder, name, *boxes):
    """Write a picture with boxes in rows 100 to 200.

    A box is (left, right, (R, G, B)).
    """
    pixels = np.zeros((360, 640, 3), np.uint8)
    for left, right, colour in boxes:
        pixels[100:200, left:right] = colour[::-1]
    cv2.imwrite(str(folder / name), pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return folder / name


def test_the_same_colour_is_the_same_subject_in_every_picture(tmp_path):
    red, green, blue = (230, 30, 30), (30, 220, 40), (20, 40, 240)
    first = drawn(tmp_path, "first.png", (50, 250, red), (400, 450, green))
    # Only the smaller subject again, after JPEG compression, and a new one.
    later = drawn(tmp_path, "10.jpg", (420, 470, green), (600, 630, blue))
    masks = tmp_path / "later.zip"
    with zipfile.ZipFile(masks, "w") as file:
        file.write(later, later.name)
    subjects = given_masks(first, masks, replace(TARGET, scaled=(640, 360)), WarningLog())
    assert list(subjects[0]) == ["#e61e1e", "#1edc28"]
    small, new = subjects[10].values()
    assert next(iter(subjects[10])) == "#1edc28"
    assert list(subjects[10])[1] not in subjects[0]
    assert abs(int((small > 127).sum()) - 50 * 100) < 300
    assert abs(int((new > 127).sum()) - 30 * 100) < 300


def test_a_few_coloured_pixels_leave_a_white_mask_as_it_is(tmp_path):
    path = drawn(tmp_path, "mask.png", (100, 300, (255, 255, 255)), (310, 311, (255, 0, 0)))
    (subjects,) = given_masks(path, None, replace(TARGET, scaled=(640, 360)), WarningLog()).values()
    assert list(subjects) == ["white"]
    assert int((subjects["white"] > 127).sum()) in range(200 * 100, 201 * 100 + 1)
    both = drawn(tmp_path, "both.png", (100, 300, (255, 255, 255)), (400, 450, (255, 0, 0)))
    (subjects,) = given_masks(both, None, TARGET, WarningLog()).values()
    assert sorted(subjects) == ["#ff0000", "white"]
