"""Shots of damaged and unfinished files: all parts that can be read, and a warning that names them."""

import re

import pytest

from shared.video import probe_video
from tests.services.damaged_clips import cut_off, with_hole, without_middle, write_clip
from tests.services.keyframes.found_shots import shots_of
from tests.services.keyframes.shot_clips import frames_of
from tests.warning_log import WarningLog

CUTS = [(40, "cut"), (100, "cut")]


def three_shots(path, **options):
    return write_clip(path, frames_of(1, 40) + frames_of(2, 60) + frames_of(3, 30), rate=25, key_distance=10, **options)


@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize(
    ("suffix", "damage"), [("mp4", with_hole), ("ts", with_hole), ("mkv", with_hole), ("mkv", without_middle), ("ts", without_middle)]
)
def test_shots_on_both_sides_of_a_damage_are_found(suffix, damage, speed, tmp_path):
    path = damage(three_shots(tmp_path / f"clip.{suffix}"))
    progress = WarningLog()
    # Frames are numbered as the file lists them. Matroska does not list those that are missing, MPEG-TS is filled up evenly.
    lost = 130 - probe_video(path).frames if suffix == "mkv" else 0
    assert shots_of(path, tmp_path, progress=progress, speed=speed) == [CUTS[0], (CUTS[1][0] - lost, "cut")]
    (warning,) = (warning for warning in progress.warnings if "damaged" in warning)
    begins, damaged, resumes, ends = map(float, re.findall(r"(\d+\.\d\d) s", warning))
    assert (begins, ends) == (0, 5.2)
    assert 1.6 < damaged < resumes < 4
    assert resumes - damaged < 1


@pytest.mark.parametrize(("suffix", "fragmented"), [("mp4", True), ("ts", False), ("mkv", False)])
def test_the_shots_before_the_end_of_an_unfinished_file_are_found(suffix, fragmented, tmp_path):
    path = cut_off(three_shots(tmp_path / f"clip.{suffix}", fragmented=fragmented))
    progress = WarningLog()
    assert shots_of(path, tmp_path, progress=progress) == CUTS[:1]
    assert [warning for warning in progress.warnings if re.search(r"\d\.\d\d? s", warning)], progress.warnings
