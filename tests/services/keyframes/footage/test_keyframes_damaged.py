"""Shots of damaged and unfinished files: all parts that can be read, and a warning that names them."""

import re

import pytest

from tests.services.damaged_clips import cut_off, with_hole, write_clip
from tests.services.keyframes.found_shots import shots_of
from tests.services.keyframes.shot_clips import frames_of
from tests.warning_log import WarningLog

CUTS = [(40, "cut"), (100, "cut")]


def three_shots(path, **options):
    return write_clip(path, frames_of(1, 40) + frames_of(2, 60) + frames_of(3, 30), rate=25, key_distance=10, **options)


@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize("suffix", ["mp4", "ts"])
def test_shots_on_both_sides_of_a_damage_are_found(suffix, speed, tmp_path):
    path = with_hole(three_shots(tmp_path / f"clip.{suffix}"))
    progress = WarningLog()
    assert shots_of(path, tmp_path, progress=progress, speed=speed) == CUTS
    (warning,) = (warning for warning in progress.warnings if "damaged" in warning)
    begins, damaged, resumes, ends = map(float, re.findall(r"(\d+\.\d\d) s", warning))
    assert (begins, ends) == (0, 5.2)
    assert 1.6 < damaged < resumes < 4
    assert resumes - damaged < 1


@pytest.mark.parametrize(("suffix", "fragmented"), [("mp4", True), ("ts", False)])
def test_the_shots_before_the_end_of_an_unfinished_file_are_found(suffix, fragmented, tmp_path):
    path = cut_off(three_shots(tmp_path / f"clip.{suffix}", fragmented=fragmented))
    progress = WarningLog()
    assert shots_of(path, tmp_path, progress=progress) == CUTS[:1]
    assert [warning for warning in progress.warnings if re.search(r"\d\.\d\d? s", warning)], progress.warnings
