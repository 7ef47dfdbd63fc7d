"""`media.reel`: the best moments of a clip, joined with their sound."""

import numpy as np
import pytest

from services.media.reel import Moment, ReelParams, reel
from shared.errors import Invalid
from shared.video import probe_video, read_audio, read_frames

MOMENTS = [{"timestamp_s": 5, "score": 2}, {"timestamp_s": 0.1, "score": 3, "reason": "ignored"}, {"timestamp_s": 3, "score": 1}]


def test_the_best_moments_follow_in_the_order_of_time(clip, tmp_path):
    output = tmp_path / "reel.mp4"
    result = reel(ReelParams.model_validate({"moments": MOMENTS, "most": 2, "around": 1}), video=clip, output=output)
    assert [(part.start_s, part.end_s, part.at_s, part.score) for part in result.parts] == [(0, 1, 0, 3), (4.5, 5.5, 1, 2)]
    assert result.moments == pytest.approx([0.1, 1.5])
    info = probe_video(output)
    assert (result.frames, info.frames, info.duration_s, info.audio[0].duration_s) == (60, 60, 2.0, pytest.approx(2.0, abs=0.03))
    with read_frames(clip, start=4.5, duration=1) as source, read_frames(output, start=1) as written:
        for before, after in zip(source, written, strict=True):
            assert np.abs(before.small_luma(64, 36).astype(int) - after.small_luma(64, 36)).mean() < 2


def test_the_sound_is_that_of_the_parts(clip, tmp_path):
    output = tmp_path / "reel.mp4"
    reel(ReelParams(moments=[Moment(timestamp_s=1), Moment(timestamp_s=4)], around=1), video=clip, output=output)

    def sound(path, start: float) -> np.ndarray:
        with read_audio(path, sample_rate=8000, start=start) as blocks:
            return np.concatenate([block.samples[0] for block in blocks])[:6000]

    for at, source in ((0.1, 0.6), (1.1, 3.6)):
        result, original = sound(output, at), sound(clip, source)
        assert np.corrcoef(result, original)[0, 1] > 0.9


def test_a_part_stays_within_its_shot_and_overlaps_become_one(clip, tmp_path):
    shots = [{"shots": [{"start_s": 0, "end_s": 2, "kind": "cut"}, {"start_s": 2, "end_s": 6}]}]
    params = {"moments": [{"timestamp_s": 1.9}, {"timestamp_s": 4}, {"timestamp_s": 4.5}], "shots": shots, "around": 1}
    result = reel(ReelParams.model_validate(params), video=clip, output=tmp_path / "reel.mp4")
    assert [(part.start_s, part.end_s) for part in result.parts] == [(1, 2), (3.5, 5)]


def test_moments_outside_the_clip_are_refused(clip, tmp_path):
    with pytest.raises(Invalid, match=r"6\.00 s long"):
        reel(ReelParams(moments=[Moment(timestamp_s=9)]), video=clip, output=tmp_path / "reel.mp4")
    assert list(tmp_path.iterdir()) == []
