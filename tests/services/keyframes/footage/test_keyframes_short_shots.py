"""Shots of a few frames: takes that alternate, and a cut at every frame."""

import pytest

from benchmarks.material.trouble.corpus import trouble
from tests.services.keyframes.found_shots import shots_of
from tests.services.keyframes.shot_clips import frames_of, write


def clip_of(path, takes, lengths):
    """Write a clip of shots; return its path and the frames at which later shots begin.

    `takes`: the take of each shot, each a list of frames. `lengths`: number of frames of each shot. A take that is shown again continues
    where it stopped.
    """
    frames, starts, used = [], [], {}
    for take, length in zip(takes, lengths, strict=True):
        first = used.get(id(take), 0)
        used[id(take)] = first + length
        starts.append(len(frames))
        frames += take[first : first + length]
    return write(path, frames), starts[1:]


@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize("length", [3, 4, 5])
def test_two_takes_that_alternate_are_cut_at_every_change(length, speed, tmp_path):
    first, one, other, last = (frames_of(seed, 60) for seed in (11, 12, 13, 14))
    takes = [first, *[one, other] * 5, last]
    path, starts = clip_of(tmp_path / "clip.mp4", takes, [35, *[length] * 10, 35])
    assert shots_of(path, tmp_path, speed=speed) == [(start, "cut") for start in starts]


@pytest.mark.parametrize("speed", ["full", "fast"])
@pytest.mark.parametrize(("length", "least"), [(1, 10), (2, 12)])
def test_most_of_thirteen_shots_of_one_or_two_frames_are_found(length, least, speed, tmp_path):
    takes = [frames_of(seed, 30) for seed in range(20, 34)]
    path, starts = clip_of(tmp_path / "clip.mp4", takes, [30, *[length] * 12, 30])
    found = shots_of(path, tmp_path, speed=speed)
    assert set(found) <= {(start, "cut") for start in starts}
    assert len(found) >= least


@pytest.mark.parametrize("speed", ["full", "fast"])
def test_a_flash_over_a_picture_of_little_contrast_is_no_shot(speed, tmp_path):
    clip = trouble(tmp_path / "clip.mp4", kind="flashes", seed=108)
    assert shots_of(clip.path, tmp_path, speed=speed) == [(cut.start, "cut") for cut in clip.truths]
