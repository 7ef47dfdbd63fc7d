"""Sound whose pitch follows the speed, and clicks in all audio modes."""

from pathlib import Path

import numpy as np
import pytest
from test_ramp_audio import VARIED, blocks, tone

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point, to_points
from services.speed_ramp.render import RenderParams, render
from services.speed_ramp.sound.source import Source
from services.speed_ramp.sound.stretch import StretchedTrack
from services.speed_ramp.sound.varispeed import Varispeed
from tests.services.speed_ramp.ramp_clips import RATE, flash, sound, write_clip

JUMPS = [Point(0, 1.0, "hold"), Point(1, 2.5, "hold"), Point(2.03, 0.4, "smooth"), Point(3, 3.0, "hold"), Point(4, 0.5), Point(6, 1.5)]


def along(way: type[Varispeed] | type[StretchedTrack], wave: np.ndarray, clock: Clock, *, ask: int = 1601) -> np.ndarray:
    channels, count = wave.shape
    stretched = way(Source(blocks(wave), channels=channels, sample_rate=RATE), clock)
    total = round(float(clock.out(count / RATE)) * RATE)
    return np.concatenate([part for until in range(ask, total + ask, ask) for part in stretched.read(min(until, total))], axis=1)


@pytest.mark.parametrize("points", [VARIED, JUMPS], ids=["ramps", "jumps"])
@pytest.mark.parametrize("frequency", [60, 440, 7000])
def test_a_sine_follows_the_source_time_to_100_db(points: list[Point], frequency: float) -> None:
    clock = Clock(points)
    heard = along(Varispeed, tone(frequency, 6), clock)[0]
    out = np.arange(len(heard)) / RATE
    moments = clock.source(out)
    near_jump = (np.abs(out[:, None] - clock.jumps()) < 0.006).any(axis=1)
    inside = ~near_jump & (moments > 0.05) & (moments < 5.9) & (clock.speed(moments) * frequency < 20_000)
    assert np.abs(np.diff(heard)).max() < 0.5 * 2 * np.pi * frequency * 3 / RATE * 1.02
    error = (heard - 0.5 * np.sin(2 * np.pi * frequency * moments))[inside]
    assert 10 * np.log10(np.mean(error**2) / 0.125) < -100
    assert np.abs(error).max() < 1e-4


@pytest.mark.parametrize(("speed", "frequency"), [(3.0, 9000), (16.0, 4000), (2.0, 13_000)])
def test_no_frequency_is_aliased(speed: float, frequency: float) -> None:
    heard = along(Varispeed, tone(frequency, 3), Clock([(0.0, speed)]))[0]
    assert 20 * np.log10(np.abs(heard[500:-500]).max() / 0.5) < -80


@pytest.mark.parametrize("speed", [0.1, 16.0])
def test_the_slowest_and_the_fastest_keep_level_length_and_channels(speed: float) -> None:
    wave = np.concatenate([tone(440, 2), 0 * tone(440, 2), 0.5 * tone(200, 2)])
    heard = along(Varispeed, wave, Clock([(0.0, speed)]))
    assert heard.shape == (3, round(2 / speed * RATE))
    middle = heard[:, heard.shape[1] // 4 : -heard.shape[1] // 4]
    assert np.sqrt(np.mean(middle**2, axis=1)) == pytest.approx([0.354, 0, 0.177], abs=0.01)


def test_reading_in_other_portions_gives_the_same_samples() -> None:
    wave = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 2 * RATE)).astype(np.float32)
    clock = Clock([(0.0, 0.8), (2.0, 1.6)])
    np.testing.assert_allclose(along(Varispeed, wave, clock, ask=160), along(Varispeed, wave, clock, ask=48_000), atol=1e-6)


def loudest_click(heard: np.ndarray, above: float) -> float:
    """Return the level of the loudest click in `heard`, in dB.

    It is the highest energy above the frequency `above` in 10 ms windows, relative to the mean energy of all windows. A click fills the
    whole spectrum.
    """
    size = RATE // 100
    cut = heard[: len(heard) // size * size]
    windows = np.concatenate([cut.reshape(-1, size), cut[size // 2 : -(size // 2)].reshape(-1, size)]) * np.blackman(size)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    high = np.fft.rfftfreq(size, 1 / RATE) > above
    return float(10 * np.log10(power[:, high].sum(axis=1).max() / power.sum(axis=1).mean()))


@pytest.mark.parametrize("points", [VARIED, JUMPS], ids=["ramps", "jumps"])
def test_nothing_clicks_where_the_rate_changes(points: list[Point]) -> None:
    clock = Clock(points)
    for way, most in ((StretchedTrack, -55), (Varispeed, -75)):
        for frequency in (200, 440):
            heard = along(way, tone(frequency, 6), clock)[0, RATE // 4 : -RATE // 4]
            assert loudest_click(heard, 4000) < most, (way, frequency)
            clicked = heard.copy()
            clicked[RATE] += 0.1
            assert loudest_click(clicked, 4000) > -40, "the measure hears clicks"


def test_audio_follow_changes_the_pitch_in_the_file(tmp_path: Path) -> None:
    video = write_clip(
        tmp_path / "in.mp4", lambda i: flash(i / 30), frames=60, tracks=(("5.1", lambda t: 0.4 * np.sin(2 * np.pi * 600 * t)),)
    )
    curve = to_points([Point(0, 0.5, freeze=0.25), Point(1, 0.5, "hold"), Point(1.001, 2.0)])
    result = render(RenderParams(curve=curve, audio="follow"), video=video, output=tmp_path / "out.mp4")
    samples, rate, start = sound(tmp_path / "out.mp4")
    assert result.audio_tracks == 1
    assert samples.shape[0] == 6
    assert start + samples.shape[1] / rate == pytest.approx(0.25 + 2 + 0.5, abs=1024 / rate + 0.002)

    def pitch(a: float, b: float) -> float:
        part = samples[0, round(a * rate) : round(b * rate)]
        return float(np.fft.rfftfreq(len(part), 1 / rate)[np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax()])

    assert pitch(0.4, 2.2) == pytest.approx(300, abs=2)
    assert pitch(2.3, 2.7) == pytest.approx(1200, abs=5)
    assert np.abs(samples[:, : round(0.2 * rate)]).max() < 0.01
