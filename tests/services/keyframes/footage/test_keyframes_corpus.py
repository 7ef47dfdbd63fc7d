"""`speed: fast` on the clips that mislead shot detection."""

import pytest

from benchmarks.material.trouble.corpus import KINDS, trouble
from tests.services.keyframes.found_shots import shots_of


@pytest.mark.parametrize("kind", ["black and fade", "jumps", "long black"])
def test_fast_skips_no_fade_and_no_motion_between_keyframes(kind, tmp_path):
    # Shots that fade to black before a cut, and motion that goes on behind a keyframe.
    path = trouble(tmp_path / "clip.mp4", kind=kind, seed=101 if kind == "long black" else 104).path
    assert shots_of(path, tmp_path, speed="fast") == shots_of(path, tmp_path)


SMALL_CHANGE = pytest.mark.xfail(reason="the picture in the window changes in a packet of usual size", strict=True)
CLIPS = [
    pytest.param(kind, seed, marks=SMALL_CHANGE if (kind, seed) == ("inner window", 1) else ()) for kind in KINDS for seed in (1, 2, 3)
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seed"), CLIPS)
def test_fast_finds_the_same_shots_of_every_kind_of_clip(kind, seed, tmp_path):
    path = trouble(tmp_path / "clip.mp4", kind=kind, seed=seed).path
    assert shots_of(path, tmp_path, speed="fast") == shots_of(path, tmp_path)
