"""The time stretcher on waves with known results."""

import sys
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.sound.source import Source
from services.speed_ramp.sound.stretch import StretchedTrack
from shared.errors import Unavailable
from shared.video import AudioBlock

RATE = 48000
VARIED = [(0.0, 1.0), (1.0, 2.0), (1.75, 0.4), (2.5, 0.5), (3.5, 3.0), (4.0, 0.3), (5.0, 1.5), (6.0, 0.7)]


def blocks(wave: np.ndarray, *, size: int = 1000, start: Fraction = Fraction(0)) -> Iterator[AudioBlock]:
    for at in range(0, wave.shape[1], size):
        yield AudioBlock(np.ascontiguousarray(wave[:, at : at + size], np.float32), start + Fraction(at, RATE), RATE)


def stretch(wave: np.ndarray, clock: Clock, *, ask: int = 1601) -> np.ndarray:
    channels, count = wave.shape
    source = Source(blocks(wave), channels=channels, sample_rate=RATE)
    stretched = StretchedTrack(source, clock)
    total = round(float(clock.out(count / RATE)) * RATE)
    return np.concatenate([part for until in range(ask, total + ask, ask) for part in stretched.read(min(until, total))], axis=1)


def tone(frequency: float, seconds: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)[None]


@pytest.mark.parametrize("points", [[(0.0, 0.5)], [(0.0, 1.7)], VARIED])
def test_pitch_and_level_are_kept_and_no_seam_is_heard(points: list[tuple[float, float]]) -> None:
    heard = stretch(tone(440, 6), Clock(points))[0, RATE // 2 : -RATE // 2]
    power = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) ** 2
    frequency = np.fft.rfftfreq(len(heard), 1 / RATE)
    assert power[(frequency > 430) & (frequency < 450)].sum() / power.sum() > 0.999
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_a_machine_without_the_library_names_the_other_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_stretch", None)
    with pytest.raises(Unavailable, match=r"python-stretch is not installed.* Choose audio follow or drop\."):
        stretch(np.zeros((1, RATE), np.float32), Clock([(0.0, 2.0)]))


def test_length_and_places_follow_the_clock() -> None:
    seconds = np.arange(6 * RATE) / RATE
    wave = np.where((seconds % 1 >= 0.5) & (seconds % 1 < 0.6), 0.5 * np.sin(2 * np.pi * 1000 * seconds), 0)[None]
    clock = Clock(VARIED)
    heard = stretch(wave, clock)
    assert heard.shape == (1, round(float(clock.out(6.0)) * RATE))
    loud = np.sqrt(np.convolve(heard[0] ** 2, np.ones(240) / 240, mode="same")) > 0.177
    rises = np.flatnonzero(loud[1:] & ~loud[:-1]) / RATE
    for second in np.arange(6) + 0.5:
        assert np.abs(rises - float(clock.out(second))).min() < 0.010


def test_speed_one_gives_the_same_samples() -> None:
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 3 * RATE)).astype(np.float32)
    np.testing.assert_allclose(stretch(wave, Clock([(0.0, 1.0)])), wave, atol=1e-6)


def test_reading_in_other_portions_gives_the_same_samples() -> None:
    wave = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 2 * RATE)).astype(np.float32)
    clock = Clock([(0.0, 0.8), (2.0, 1.6)])
    np.testing.assert_array_equal(stretch(wave, clock, ask=160), stretch(wave, clock, ask=48_000))


def test_channels_stay_apart_and_together_in_time() -> None:
    wave = np.concatenate([tone(440, 2), 0 * tone(440, 2), tone(880, 2)])
    heard = stretch(wave, Clock([(0.0, 0.6), (2.0, 1.4)]))
    assert np.abs(heard[1]).max() < 1e-3
    spectrum = np.abs(np.fft.rfft(heard[:, RATE // 2 : RATE // 2 + RATE], axis=1))
    assert spectrum[0].argmax() == 440
    assert spectrum[2].argmax() == 880


@pytest.mark.parametrize("speed", [0.1, 16.0])
def test_the_slowest_and_the_fastest_work(speed: float) -> None:
    heard = stretch(tone(440, 2), Clock([(0.0, speed)]))
    assert heard.shape[1] == round(2 / speed * RATE)
    middle = heard[0, heard.shape[1] // 4 : -heard.shape[1] // 4]
    assert np.sqrt(np.mean(middle**2)) > 0.2


def test_source_has_silence_before_in_gaps_and_after() -> None:
    ones = np.ones((1, 100), np.float32)
    parts = [AudioBlock(ones, Fraction(50, RATE), RATE), AudioBlock(ones, Fraction(100_000, RATE), RATE)]
    source = Source(parts, channels=1, sample_rate=RATE)
    assert source.read(-10, 160)[0].tolist() == [0] * 60 + [1] * 100 + [0] * 10
    assert source.read(100, 50_000)[0].sum() == 50
    assert source.read(99_990, 100_200)[0].tolist() == [0] * 10 + [1] * 100 + [0] * 100
    assert source.read(200_000, 200_010)[0].sum() == 0


def test_source_holds_little_of_a_long_gap() -> None:
    ones = np.ones((1, 100), np.float32)
    far = 3600 * RATE
    source = Source([AudioBlock(ones, Fraction(0), RATE), AudioBlock(ones, Fraction(far, RATE), RATE)], channels=1, sample_rate=RATE)
    for second in range(0, 3600, 60):
        source.read(second * RATE, (second + 1) * RATE)
        assert source._held.nbytes < 4 * 64 * RATE
    assert source.read(far - 5, far + 5)[0].sum() == 5
