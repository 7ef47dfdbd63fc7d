"""Accuracy and speed of the beat finder, compared with other libraries.

    python -m benchmarks.speed_ramp.bench_beats

The sounds are synthetic, with known beats: steady and changing tempos, clicks, drums with hats and bass, swing, chords without drums,
noise, silence, and sounds without a beat. F is the F-measure with hits within 70 ms. Each finder runs in its own process, which measures
the seconds for an hour of sound and the resident memory added by importing and using the finder (here, including the video library).
Libraries that are not installed are left out: `pip install librosa aubio-ledfx`.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine

out = Console(soft_wrap=True, highlight=False)
Floats = NDArray[np.float64]
Finder = Callable[[NDArray[np.float32]], list[float]]
RATE = 44100
LENGTH_S = 40.0
HIT_S = 0.07
NONE = "without a beat"


class Studio:
    """Synthesizer of sounds, with the same noise in every run."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(7)

    def noise(self, level: float) -> Floats:
        return level * self.random.standard_normal(round(LENGTH_S * RATE))

    def click(self, level: float, decay_s: float = 0.015) -> Floats:
        fall = np.exp(-np.arange(round(5 * decay_s * RATE)) / (decay_s * RATE))
        return level * fall * self.random.standard_normal(len(fall))

    def hat(self, decay_s: float = 0.012) -> Floats:
        return 0.3 * np.diff(self.click(0.5, decay_s), prepend=0)

    def kick(self) -> Floats:
        t = np.arange(round(0.3 * RATE)) / RATE
        return 0.9 * np.exp(-t / 0.06) * np.sin(2 * np.pi * (50 * t + 2 * (1 - np.exp(-40 * t))))

    def note(self, pitch_hz: float, length_s: float, level: float) -> Floats:
        t = np.arange(round(length_s * RATE)) / RATE
        shape = np.minimum(t / 0.008, 1) * np.exp(-2 * t / length_s) * np.minimum((length_s - t) / 0.01, 1)
        return level * shape * sum(np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 5))

    def drums(self, beats: Floats, *, swing: float = 0.5, loud: float = 1.0, noise: float = 0.003, jitter_s: float = 0.0) -> Floats:
        """Synthesize drums and bass, with hats on and between the beats.

        `swing`: place of the hats between two beats, 0 to 1.
        """
        wave = self.noise(noise)
        for number, (beat, length) in enumerate(zip(beats, lengths(beats), strict=True)):
            add(wave, beat + jitter_s * self.random.standard_normal(), loud * (self.click(0.5, 0.04) if number % 2 else self.kick()))
            add(wave, beat, loud * self.note(55 * 2 ** ((0, 0, 5, 7)[number // 4 % 4] / 12), 0.3, 0.25))
            for part in (0, swing):
                add(wave, beat + part * length, loud * self.hat())
        return wave

    def clicks(self, beats: Floats) -> Floats:
        wave = self.noise(0.01)
        for number, beat in enumerate(beats):
            add(wave, beat, self.click(0.36 if number % 4 else 0.6))
        return wave

    def chords(self, beats: Floats) -> Floats:
        wave = self.noise(0.002)
        for number, (beat, length) in enumerate(zip(beats, lengths(beats), strict=True)):
            for step in (0, 4, 7) if number % 4 == 0 else ():
                add(wave, beat, self.note(220 * 2 ** ((step + (0, 5, 7, 0)[number // 4 % 4]) / 12), 4 * length, 0.12))
            add(wave, beat, self.note(440 * 2 ** (self.random.integers(12) / 12), 0.9 * length, 0.15))
            if self.random.random() < 0.5:
                add(wave, beat + length / 2, self.note(440 * 2 ** (self.random.integers(12) / 12), 0.45 * length, 0.12))
        return wave

    def house(self, beats: Floats) -> Floats:
        """Synthesize kicks on the beats and loud hats between the beats."""
        wave = self.noise(0.02)
        for beat, length in zip(beats, lengths(beats), strict=True):
            add(wave, beat, self.kick())
            add(wave, beat + length / 2, 3 * self.hat(0.04))
        return wave

    def speech(self) -> Floats:
        """Synthesize the irregular syllables of speech."""
        wave, second = self.noise(0.01), 0.3
        while second < LENGTH_S - 1:
            length = self.random.uniform(0.08, 0.3)
            add(wave, second, self.note(self.random.uniform(100, 180), length, 0.3))
            second += length + self.random.exponential(0.09) + (0.5 if self.random.random() < 0.1 else 0)
        return wave


def sounds() -> Iterator[tuple[str, Floats, Floats]]:
    """Yield the kind, beat times and wave of each test sound."""
    studio = Studio()
    for tempo in (60, 75, 90, 100, 120, 128, 140, 160, 174):
        yield "clicks, steady", (beats := steady(tempo)), studio.clicks(beats)
    for change in CHANGES:
        yield "clicks, changing tempo", (beats := at_tempo(change)), studio.clicks(beats)
    for tempo in (72, 85, 95, 110, 124, 138, 150, 172):
        yield "drums and bass, steady", (beats := steady(tempo)), studio.drums(beats)
    for tempo in (90, 120, 145):
        yield "drums and bass, swing", (beats := steady(tempo)), studio.drums(beats, swing=2 / 3)
    for change in CHANGES:
        yield "drums, loosely played, changing tempo", (beats := at_tempo(change)), studio.drums(beats, jitter_s=0.008)
    for tempo in (80, 108, 126):
        yield "chords and melody", (beats := steady(tempo)), studio.chords(beats)
    yield "kicks, loud hats between them", (beats := steady(128)), studio.house(beats)
    yield "drums in noise, and very quiet", (beats := steady(100)), studio.drums(beats, noise=0.06)
    yield "drums in noise, and very quiet", (beats := steady(118)), studio.drums(beats, loud=0.05, noise=5e-5)
    for wave in (studio.noise(0), studio.noise(0.1), studio.speech(), studio.clicks(np.sort(studio.random.uniform(0, LENGTH_S - 1, 50)))):
        yield NONE, np.zeros(0), wave


CHANGES: tuple[Callable[[float], float], ...] = (
    lambda second: 100 + second,
    lambda second: 120 if second < LENGTH_S / 2 else 90,
    lambda second: 110 + 15 * np.sin(second / 4),
)


def at_tempo(tempo: Callable[[float], float]) -> Floats:
    times = [0.4]
    while (following := times[-1] + 60 / tempo(times[-1])) < LENGTH_S - 0.5:
        times.append(following)
    return np.array(times)


def steady(tempo: float) -> Floats:
    return at_tempo(lambda _second: tempo)


def lengths(beats: Floats) -> Floats:
    return np.diff(beats, append=2 * beats[-1] - beats[-2])


def add(wave: Floats, second: float, sound: Floats) -> None:
    start = max(round(second * RATE), 0)
    part = sound[: max(len(wave) - start, 0)]
    wave[start : start + len(part)] += part


def ours() -> Finder:
    from services.speed_ramp.curve.beats import SAMPLE_RATE, beats
    from shared.video import AudioBlock

    def find_beats(wave: NDArray[np.float32]) -> list[float]:
        halved = (wave[::2] + wave[1::2]) / 2
        assert 2 * SAMPLE_RATE == RATE
        return beats(AudioBlock(halved[None, at : at + 4096], Fraction(at, SAMPLE_RATE), SAMPLE_RATE) for at in range(0, len(halved), 4096))

    return find_beats


def aubio_finder() -> Finder:
    import aubio

    def find_beats(wave: NDArray[np.float32]) -> list[float]:
        tempo = aubio.tempo("default", 1024, 512, RATE)
        return [float(tempo.get_last_s()) for at in range(0, len(wave) - 512, 512) if tempo(wave[at : at + 512])[0]]

    return find_beats


def librosa_finder(*, follow: bool) -> Finder:
    import librosa

    def find_beats(wave: NDArray[np.float32]) -> list[float]:
        onsets = librosa.onset.onset_strength(y=(wave[::2] + wave[1::2]) / 2, sr=RATE // 2)
        if not onsets.any():
            return []
        # As in librosa's documentation for music with a changing tempo.
        tempo = librosa.feature.tempo(onset_envelope=onsets, sr=RATE // 2, aggregate=None) if follow else None
        return list(librosa.beat.beat_track(onset_envelope=onsets, sr=RATE // 2, bpm=tempo, units="time")[1])

    return find_beats


FINDERS: dict[str, tuple[str, Callable[[], Finder]]] = {
    "ours": ("numpy", ours),
    "aubio-ledfx": ("aubio", aubio_finder),
    "librosa, one tempo": ("librosa", lambda: librosa_finder(follow=False)),
    "librosa, tempo followed": ("librosa", lambda: librosa_finder(follow=True)),
}


def measured(name: str) -> dict[str, object]:
    """Measure the accuracy, speed and memory of the beat finder `name`.

    Returns F-measure and delay of each clip, seconds per hour of sound, and MiB.
    """
    clips = [(kind, beats, wave.astype(np.float32)) for kind, beats, wave in sounds()]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    find_beats = FINDERS[name][1]()
    find_beats(clips[0][2])  # the first run may compile code
    start = time.perf_counter()
    detected = [np.array(find_beats(wave)) for _, _, wave in clips]
    duration_s = time.perf_counter() - start
    scores = [
        [kind, len(times) if kind == NONE else f_measure(times, beats), lateness_ms(times, beats)]
        for (kind, beats, _), times in zip(clips, detected, strict=True)
    ]
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"scores": scores, "hour_s": duration_s * 3600 / (len(clips) * LENGTH_S), "mib": memory}


def f_measure(detected: Floats, true: Floats) -> float:
    hits, free = 0, list(true)
    for beat in detected:
        near = min(free, key=lambda true_beat: abs(true_beat - beat), default=np.inf)
        if abs(near - beat) <= HIT_S:
            free.remove(near)
            hits += 1
    return 2 * hits / max(len(detected) + len(true), 1)


def lateness_ms(detected: Floats, true: Floats) -> float | None:
    """Return the median delay of detected beats in ms.

    None without a match.
    """
    off = [beat - true[np.abs(true - beat).argmin()] for beat in detected if len(true)]
    hits = [delay for delay in off if abs(delay) <= HIT_S]
    return float(np.median(hits)) * 1000 if hits else None


def main() -> None:
    """Print the table."""
    out.print(machine())
    names = [name for name, (package, _) in FINDERS.items() if find_spec(package)]
    command = [sys.executable, "-m", "benchmarks.speed_ramp.bench_beats"]
    results = {name: json.loads(subprocess.run([*command, name], check=True, stdout=subprocess.PIPE).stdout) for name in names}
    table = Table(title="F-measure at 70 ms, mean of the clips; beats found where there are none")
    table.add_column("sound")
    for name in names:
        table.add_column(name, justify="right")
    for kind in dict.fromkeys(kind for kind, _, _ in results[names[0]]["scores"]):
        values = [np.array([value for of, value, _ in results[name]["scores"] if of == kind]) for name in names]
        table.add_row(kind, *(f"{value.sum():.0f} beats" if kind == NONE else f"{value.mean():.2f}" for value in values))
    late = [np.median([off for _, _, off in results[name]["scores"] if off is not None]) for name in names]
    table.add_row("delay, median", *(f"{delay:+.0f} ms" for delay in late))
    table.add_row("an hour of sound", *(f"{results[name]['hour_s']:.1f} s" for name in names))
    table.add_row("memory added", *(f"{results[name]['mib']:.0f} MiB" for name in names))
    out.print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measured(sys.argv[1])))
    else:
        main()
