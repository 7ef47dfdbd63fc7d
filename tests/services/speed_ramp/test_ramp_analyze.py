"""`speed-ramp.analyze` on small files with known motion."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.analyze import AnalyzeParams, analyze
from shared.errors import UnsupportedMedia
from tests.services.speed_ramp.motion.test_ramp_motion import texture
from tests.services.speed_ramp.ramp_clips import Recorder, write_clip


def moving(speeds: list[float], *, seed: int = 1) -> list[np.ndarray]:
    """Draw 96x128 frames that pan by `speeds` pixels per frame."""
    picture = texture(seed, height=96, width=900)
    places = np.round(np.cumsum([0.0, *speeds])).astype(int)
    return [picture[:, x : x + 128].copy() for x in places]


def clip(path: Path, pictures: list[np.ndarray], **options: object) -> Path:
    return write_clip(path, lambda i: pictures[i], frames=len(pictures), **options)  # type: ignore[arg-type]


def test_the_curve_slows_where_the_picture_moves(tmp_path: Path) -> None:
    pictures = moving([0.0] * 30 + [8.0] * 30 + [0.0] * 29)
    recorder = Recorder()
    result = analyze(AnalyzeParams(), video=clip(tmp_path / "a.mp4", pictures), progress=recorder)
    assert result.frames == 90
    assert result.duration_s == pytest.approx(3)
    assert result.speeds[0] > 1.85
    assert result.speeds[-1] > 1.85
    assert result.speeds[2] < 0.75
    assert result.speeds[3] < 0.75
    assert result.motion.times == pytest.approx([i / 30 for i in range(1, 90)])
    # 8 pixels a frame at 30 frames a second over a diagonal of 160 pixels.
    assert np.median(result.motion.values[32:58]) == pytest.approx(8 * 30 / 160, rel=0.1)
    assert (result.curve[0].t, result.curve[-1].t) == (0, result.duration_s)
    lengths = [0.5] * 6
    assert sum(a / b for a, b in zip(lengths, result.speeds, strict=True)) == pytest.approx(result.ramped_duration_s, rel=1e-9)
    assert recorder.fractions == sorted(recorder.fractions)
    assert recorder.fractions[-1] == 1


def test_the_same_clip_gives_the_same_curve_to_the_last_bit(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mp4", moving([0.0] * 10 + [5.0] * 20 + [1.0] * 20))
    first = analyze(AnalyzeParams(), video=video)
    litter = []
    for number in range(5):
        # Other places in memory, with something in them.
        litter.append(np.full(100_003 * (number + 1), np.nan, np.float32))
        assert analyze(AnalyzeParams(), video=video) == first


def test_varying_frame_rates_keep_their_times(tmp_path: Path) -> None:
    pictures = moving([0.0] * 10 + [6.0] * 10)
    # Ten frames at 10 a second, then the rest at 30.
    video = clip(tmp_path / "v.mkv", pictures, times=lambda i: i * 3 if i <= 10 else 30 + (i - 10))
    result = analyze(AnalyzeParams(), video=video)
    assert result.motion.times == pytest.approx([i / 10 for i in range(1, 11)] + [1 + i / 30 for i in range(1, 11)], abs=0.001)
    assert result.speeds[0] > result.speeds[-1]


def test_a_cut_is_no_action(tmp_path: Path) -> None:
    still = [texture(1, height=96, width=128)] * 30 + [texture(9, height=96, width=128)] * 30
    result = analyze(AnalyzeParams(), video=clip(tmp_path / "c.mp4", still))
    assert result.cuts == pytest.approx([1.0])
    assert max(result.motion.values) < 0.05
    assert result.speeds == pytest.approx([1.0] * 4, abs=0.05)


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_clips_have_a_curve(tmp_path: Path, frames: int) -> None:
    video = clip(tmp_path / "one.mp4", [texture(1, height=96, width=128)] * frames, frame_rate=Fraction(25))
    result = analyze(AnalyzeParams(), video=video)
    assert result.frames == frames
    assert result.duration_s == pytest.approx(frames / 25, abs=0.001)
    assert [point.speed for point in result.curve] == [1, 1]
    assert result.speeds == [1]


def test_still_images_are_refused(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "still.png"), np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(UnsupportedMedia, match="still image"):
        analyze(AnalyzeParams(), video=tmp_path / "still.png")
