"""Sound of a played ramp: its pitch stays, and so do its times."""

import numpy as np
import pytest

from tests.gateway.web.studio_script import Script

RATE = 8000
LATEST_S = 0.04
"""Longest time between the moment that a sound belongs to and the sound."""

PLAYED = """(() => {
  const ramp = new Ramp(curve, end);
  const length = Math.round(ramp.duration * rate);
  const [made] = withOwnPitch([Float32Array.from(sound)], (out) => ramp.sourceAt(out), { length, rate });
  return [...made].map((sample) => Number(sample.toFixed(4)));
})()"""
SPEEDS = [0.1, 0.25, 0.5, 0.8, 1.5, 3, 8]


@pytest.fixture(scope="module")
def script() -> Script:
    return Script("ramp/pitch.js", "ramp/ramp.js")


def played(script: Script, sound: np.ndarray[tuple[int], np.dtype[np.float64]], curve: list[dict[str, float]]) -> np.ndarray:
    values = script(PLAYED, sound=[round(float(sample), 4) for sample in sound], curve=curve, end=len(sound) / RATE, rate=RATE)
    return np.array(values)


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_pitch_stays_at_every_speed(script: Script, speed: float) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(round(RATE * min(2, max(0.5, speed)))) / RATE)
    made = played(script, tone, [{"t": 0, "speed": speed}])
    assert len(made) == pytest.approx(len(tone) / speed, abs=1)
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert np.argmax(spectrum) * RATE / len(made) == pytest.approx(440, rel=0.03)
    middle = made[len(made) // 4 : -len(made) // 4]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(0.5), rel=0.2), "as loud as the source"


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_sound_begins_and_ends_at_its_time(script: Script, speed: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.3, round(RATE * max(1, speed)))
    begin, end = 0.4 * len(noise), 0.6 * len(noise)
    noise[: round(begin)] = noise[round(end) :] = 0
    heard = np.flatnonzero(np.abs(played(script, noise, [{"t": 0, "speed": speed}])) > 0.01) / RATE
    assert heard[0] == pytest.approx(begin / RATE / speed, abs=LATEST_S)
    assert heard[-1] == pytest.approx(end / RATE / speed, abs=LATEST_S)


def test_sound_at_its_own_speed_is_unchanged_and_freezes_are_silent(script: Script) -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    made = played(script, tone, [{"t": 0, "speed": 1}, {"t": 0.5, "speed": 1, "freeze": 0.5}, {"t": 1, "speed": 1}])
    assert made[200:3500] == pytest.approx(tone[200:3500], abs=1e-3)
    assert np.abs(made[round(0.53 * RATE) : round(0.97 * RATE)]).max() == 0
    assert made[round(1.1 * RATE) : round(1.4 * RATE)] == pytest.approx(tone[round(0.6 * RATE) : round(0.9 * RATE)], abs=1e-3)
