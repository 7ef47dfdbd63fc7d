"""Selection of the frames between which motion is measured."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.motion.sampling import Samples
from shared.errors import Invalid
from shared.video import Frame, VideoInfo, probe
from tests.services.speed_ramp.motion.test_ramp_motion import texture
from tests.services.speed_ramp.ramp_clips import write_clip


def info_of(path: Path) -> VideoInfo:
    info = probe(path)
    assert isinstance(info, VideoInfo)
    return info


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of 12 s at 30 fps that pans at changing speed.

    The speed is 2, then 6, then 0 pixels per frame, for 4 s each.
    """
    picture = texture(1, height=48, width=1200)
    places = np.concatenate([[0], np.cumsum(np.repeat([2, 6, 0], 120))])[:360]
    return write_clip(tmp_path_factory.mktemp("sampling") / "pan.mp4", lambda i: picture[:, places[i] : places[i] + 64], frames=360)


def pairs(frames: list[Frame | None]) -> list[tuple[Fraction, Fraction]]:
    numbers = [i for i, frame in enumerate(frames) if frame is None]
    return [tuple(f.time for f in frames[i + 1 : i + 3] if f is not None) for i in numbers]  # type: ignore[misc]


def samples(clip: Path, *, start: float = 0, duration: float | None = None, sample_rate: float | None = None) -> Samples:
    return Samples(clip, info_of(clip), start=start, duration=duration, sample_rate=sample_rate)


@pytest.mark.parametrize(("start", "duration", "expected"), [(0, None, [1, 3, 5, 7, 9, 11]), (3.5, 4.1, [4.5, 6.5])])
def test_seeking_finds_the_same_pairs_as_decoding(clip: Path, start: float, duration: float | None, expected: list[float]) -> None:
    sampling = samples(clip, start=start, duration=duration, sample_rate=0.5)
    decoded = pairs(list(sampling._decoding(Fraction(2))))
    assert decoded == [(second, second + Fraction(1, 30)) for second in map(Fraction, expected)]
    end = sampling.end
    assert pairs(list(sampling._seeking(Fraction(2)))) == decoded
    assert abs(end - sampling.end) < Fraction(1, 30)
    assert not sampling.every_frame


def test_frames_of_high_rates_are_skipped(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "60.mp4", lambda i: np.full((48, 64), 16 + i, np.uint8), frames=21, frame_rate=Fraction(60))
    frames = list(samples(video))
    assert frames[0] is None
    assert [frame.time for frame in frames[1:] if frame is not None] == [Fraction(i, 30) for i in range(11)]


@pytest.mark.parametrize("sample_rate", [0.5, 2, 10])
def test_few_pairs_give_nearly_the_same_curve(clip: Path, sample_rate: float) -> None:
    whole = analyze(AnalyzeParams(segment_duration=2, smoothing=0), video=clip)
    few = analyze(AnalyzeParams(segment_duration=2, smoothing=0, sample_rate=sample_rate), video=clip)
    assert few.frames == pytest.approx(2 * 12 * sample_rate, abs=1)
    assert few.duration_s == pytest.approx(whole.duration_s, abs=0.04)
    assert few.speeds == pytest.approx(whole.speeds, rel=0.1)


def test_a_part_is_measured_alone_and_keeps_the_sources_seconds(clip: Path) -> None:
    whole = analyze(AnalyzeParams(), video=clip)
    part = analyze(AnalyzeParams(start=3, duration=2.5), video=clip)
    assert (part.duration_s, part.frames, len(part.speeds)) == (pytest.approx(2.5), 75, 5)
    assert part.curve[0].t == 3
    assert part.curve[-1].t == pytest.approx(5.5)
    assert part.motion.times[0] == pytest.approx(3 + 1 / 30)
    assert part.motion.times[-1] == pytest.approx(5.5 - 1 / 30)
    assert part.motion.values == pytest.approx(whole.motion.values[90:164], rel=0.05)
    assert part.speeds[0] > 1 > part.speeds[-1]
    assert part.ramped_duration_s == pytest.approx(sum(0.5 / speed for speed in part.speeds))


@pytest.mark.parametrize(("part", "says"), [({"start": 12.5}, "12.00 s long"), ({"start": 3.34, "duration": 0.001}, "No frame")])
def test_a_part_without_frames_is_refused(clip: Path, part: dict[str, float], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        analyze(AnalyzeParams(**part), video=clip)  # type: ignore[arg-type]
