"""Detection of known beats in sounds, and curves that snap to beats."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.curve.beats import SAMPLE_RATE, beats
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.render import RenderParams, render
from shared.errors import FieldError, Invalid
from shared.video import AudioBlock
from tests.services.speed_ramp.ramp_clips import RATE, Floats, Recorder, write_clip

LATEST = 0.012  # largest time between a beat and its click, in seconds


def clicks(seconds: Floats, *, length: float, loud: float = 0.6, noise: float = 0.0, sample_rate: int = SAMPLE_RATE) -> Floats:
    """Synthesize a burst of noise at each of `seconds`, over steady noise.

    The first burst of every four is the loudest.
    """
    random = np.random.default_rng(1)
    wave, burst = noise * random.standard_normal(round(length * sample_rate)), round(0.08 * sample_rate)
    for number, second in enumerate(seconds):
        at = round(second * sample_rate)
        count = min(burst, len(wave) - at)
        strength = loud * (1 if number % 4 == 0 else 0.6)
        wave[at : at + count] += strength * np.exp(-np.arange(count) / (0.015 * sample_rate)) * random.standard_normal(count)
    return wave


def blocks(wave: Floats, *, start: float = 0.0, size: int = 3001) -> Iterator[AudioBlock]:
    for at in range(0, len(wave), size):
        part = wave[None, at : at + size].astype(np.float32)
        yield AudioBlock(part, Fraction(start).limit_denominator(10**6) + Fraction(at, SAMPLE_RATE), SAMPLE_RATE)


def at_tempo(tempo: Callable[[float], float], *, length: float, first: float = 0.4) -> Floats:
    """Return the times of beats with a changing tempo.

    `tempo(second)`: beats per minute at that time.
    """
    times = [first]
    while (following := times[-1] + 60 / tempo(times[-1])) < length - 0.5:
        times.append(following)
    return np.array(times)


def check(times: list[float], true: Floats, *, misses: int = 0) -> None:
    assert times == sorted(times)
    assert max(np.abs(true - beat).min() for beat in times) < LATEST, "a beat where there is none"
    off = [np.abs(np.array(times) - beat).min() for beat in true]
    assert sum(error > LATEST for error in off) <= misses, "a beat that was not found"


@pytest.mark.parametrize("tempo", [60, 75, 90, 100, 120, 128, 140, 160])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_beats_of_a_steady_tempo_are_found(tempo: int, noise: float) -> None:
    true = at_tempo(lambda second: tempo, length=20)
    # What begins with noise begins with an onset of its own.
    check([beat for beat in beats(blocks(clicks(true, length=20, noise=noise))) if beat > 0.2], true, misses=1)


@pytest.mark.parametrize(
    "tempo",
    [lambda second: 100 + second, lambda second: 120 if second < 20 else 90, lambda second: 110 + 15 * np.sin(second / 4)],
    ids=["faster and faster", "at once", "up and down"],
)
def test_the_beats_of_a_changing_tempo_are_found(tempo: Callable[[float], float]) -> None:
    true = at_tempo(tempo, length=40)
    times = [beat for beat in beats(blocks(clicks(true, length=40, noise=0.01))) if beat > 0.2]
    check(times, true, misses=2)


def test_the_beat_is_found_among_what_is_played_between() -> None:
    true = at_tempo(lambda second: 92, length=30)
    wave = clicks(true, length=30) + 0.4 * clicks(true + 30 / 92, length=30) + 0.2 * clicks(np.arange(0.4, 29, 15 / 92), length=30)
    check(beats(blocks(wave)), true, misses=1)


def test_seconds_are_those_of_the_file_whatever_the_blocks_are() -> None:
    true = at_tempo(lambda second: 120, length=10)
    wave = clicks(true, length=10)
    times = beats(blocks(wave))
    assert np.allclose(np.array(beats(blocks(wave, start=100.0, size=50_000))) - 100, times, atol=1e-6)
    # A hole in the sound keeps its length.
    halves = [*blocks(wave), *blocks(wave, start=12.0)]
    late = [beat for beat in beats(halves) if beat > 12]
    check([beat - 12 for beat in late], true, misses=1)


@pytest.mark.parametrize("seed", range(4))
def test_noise_and_scattered_sounds_have_few_beats(seed: int) -> None:
    random = np.random.default_rng(seed)
    scattered = clicks(np.sort(random.uniform(0, 29, 40)), length=30, noise=0.02)
    assert len(beats(blocks(0.1 * random.standard_normal(30 * SAMPLE_RATE)))) <= 4
    assert len(beats(blocks(scattered))) <= 8


@pytest.mark.parametrize("wave", [np.zeros(10 * SAMPLE_RATE), np.zeros(10), clicks(np.array([5.0]), length=10), np.ones(SAMPLE_RATE)])
def test_silence_and_single_sounds_have_no_beats(wave: Floats) -> None:
    assert beats(blocks(wave)) == []


def test_no_sound_has_no_beats() -> None:
    assert beats(iter(())) == []


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an 8 s clip with sound and a stripe moving in bursts.

    The sound is clicks at 100 per minute.
    """
    wave = clicks(at_tempo(lambda second: 100, length=8), length=8, sample_rate=RATE)

    def luma(i: int) -> np.ndarray:
        picture = np.full((48, 64), 60, np.uint8)
        at = (i * (3 if i // 25 % 2 else 1)) % 56
        picture[:, at : at + 8] = 200
        return picture

    def sound(seconds: Floats) -> Floats:
        return wave[np.minimum(np.round(seconds * RATE).astype(int), len(wave) - 1)]

    path = tmp_path_factory.mktemp("band") / "band.mp4"
    return write_clip(path, luma, frames=200, frame_rate=Fraction(25), tracks=(("stereo", sound),))


def test_an_analysed_curve_changes_on_the_beats(band: Path) -> None:
    recorder = Recorder()
    result = analyze(AnalyzeParams(snap_to="beats", segment_duration=0.5), video=band, progress=recorder)
    check(result.beats, at_tempo(lambda second: 100, length=8), misses=1)
    inner = [point.t for point in result.curve[1:-1]]
    assert len(inner) >= 3
    assert all(min(abs(t - beat) for beat in result.beats) < 1e-9 for t in inner)
    assert recorder.fractions[-1] == 1
    assert recorder.fractions == sorted(recorder.fractions)
    assert analyze(AnalyzeParams(), video=band).beats == []


def test_a_given_curve_changes_on_the_beats_of_its_part(band: Path, tmp_path: Path) -> None:
    curve = [CurvePoint(t=0, speed=1), CurvePoint(t=3.1, speed=2), CurvePoint(t=5.3, speed=0.5), CurvePoint(t=8, speed=1)]
    result = render(RenderParams(curve=curve, snap_to="beats", start=1, duration=6), video=band, output=tmp_path / "out.mp4")
    # Clicks at 0.4 + 0.6 k.
    assert [point.t for point in result.curve[1:-1]] == pytest.approx([2.8, 5.2], abs=LATEST) or [
        point.t for point in result.curve[1:-1]
    ] == pytest.approx([3.4, 5.2], abs=LATEST)


def test_a_request_to_snap_to_missing_beats_is_refused(tmp_path: Path) -> None:
    gray = np.full((48, 64), 60, np.uint8)
    silent = write_clip(tmp_path / "silent.mp4", lambda i: gray, frames=125, frame_rate=Fraction(25), tracks=(("mono", np.zeros_like),))
    mute = write_clip(tmp_path / "mute.mp4", lambda i: gray, frames=125, frame_rate=Fraction(25))
    for video, reason in ((silent, "no beats were found in the sound"), (mute, "the video has none")):
        with pytest.raises(Invalid, match=reason) as raised:
            analyze(AnalyzeParams(snap_to="beats"), video=video)
        assert raised.value.errors == (
            FieldError(field="params.snap_to", detail=raised.value.detail.removeprefix("params.snap_to: ").removesuffix(".")),
        )
