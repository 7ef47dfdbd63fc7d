"""`aesthetics.best-frames` on damaged and unfinished files.

It takes pictures from all parts that can be read. A warning names the parts.
"""

import re

import pytest

from services.aesthetics.best_frames import BestFramesParams, best_frames
from tests.services.aesthetics.aesthetic_clips import RATE, RecordingProgress, scenery
from tests.services.damaged_clips import cut_off, with_hole, without_middle, write_clip

PARAMS = BestFramesParams(scorer="technical", group_size=1, diversity=0)
SECONDS = 10


def ten_seconds(path, **options):
    frames = [scenery(second) for second in range(SECONDS) for _ in range(RATE)]
    return write_clip(path, frames, rate=RATE, key_distance=RATE, **options)


def chosen(path, outputs):
    """Return the seconds of the chosen frames, and the warnings (at least one)."""
    progress = RecordingProgress()
    result = best_frames(PARAMS, video=path, outputs=outputs, progress=progress)
    assert result.looked_at == len(result.items)
    assert progress.warnings
    return [item.timestamp_s for item in result.items], progress.warnings


@pytest.mark.parametrize(("suffix", "damage"), [("mp4", with_hole), ("mkv", with_hole), ("ts", with_hole), ("mkv", without_middle)])
def test_pictures_come_from_both_sides_of_a_damage(suffix, damage, tmp_path, outputs):
    times, (*_, warning) = chosen(damage(ten_seconds(tmp_path / f"clip.{suffix}")), outputs)
    lost = sorted(set(range(SECONDS)) - set(times))
    assert lost
    assert lost == [*range(lost[0], lost[0] + len(lost))]
    assert len(lost) <= 2
    assert (times[0], times[-1]) == (0, SECONDS - 1)
    parts = f"from 0.00 s to {lost[0] - 1}.00 s, from {lost[-1] + 1}.00 s to {SECONDS - 1}.00 s"
    assert warning == f"'clip.{suffix}' is damaged. Pictures were taken {parts}; the rest could not be read. Export or upload it again."


@pytest.mark.parametrize(("suffix", "fragmented"), [("mp4", True), ("ts", False), ("mkv", False)])
def test_pictures_come_from_the_beginning_of_an_unfinished_file(suffix, fragmented, tmp_path, outputs):
    times, warnings = chosen(cut_off(ten_seconds(tmp_path / f"clip.{suffix}", fragmented=fragmented)), outputs)
    assert times == [*range(len(times))]
    assert 3 <= len(times) <= 7
    assert any(re.search(r"\d\.\d\d? s", warning) for warning in warnings), warnings
