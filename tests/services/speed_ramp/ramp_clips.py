"""Clips for the speed ramp's tests, and measurements of the results."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.operation import Progress
from shared.video import VideoWriter, read_audio, read_frames

RATE = 48000
Floats = NDArray[np.float64]


class Recorder:
    """A Progress that records the reports of all its parts."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.stages: list[str] = []
        self.warnings: list[str] = []
        self._span = (0.0, 1.0)

    def __call__(self, done: float, total: float) -> None:
        start, end = self._span
        self.fractions.append(start + (end - start) * done / total)

    def part(self, stage: str, start: float, end: float) -> Progress:
        inner = Recorder()
        inner.fractions, inner.stages, inner.warnings, inner._span = self.fractions, self.stages, self.warnings, (start, end)
        self.stages.append(stage)
        return inner

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def write_clip(
    path: Path,
    luma: Callable[[int], NDArray[np.uint8]],
    *,
    frames: int,
    frame_rate: Fraction = Fraction(30),
    times: Callable[[int], int] | None = None,
    tracks: tuple[tuple[str, Callable[[Floats], Floats]], ...] = (),
) -> Path:
    """Write a clip whose frame `i` has the luma plane `luma(i)`.

    `tracks`: a layout and `wave(seconds)` for each track; each channel gets this wave, at its own loudness.
    """
    height, width = luma(0).shape
    gray = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)
    with VideoWriter(path, width=width, height=height, frame_rate=frame_rate, quality=90) as writer:
        targets = [(writer.add_audio(RATE, layout), wave) for layout, wave in tracks]
        for i in range(frames):
            writer.write((luma(i), gray, gray), times(i) if times else i)
            span = np.arange(round(i / frame_rate * RATE), round((i + 1) / frame_rate * RATE))
            for target, wave in targets:
                sound = np.tile(wave(span / RATE).astype(np.float32), (target.channels, 1))
                # Channels of different loudness, so that mixed-up ones would show.
                target.write(sound * np.linspace(1, 0.5, target.channels, dtype=np.float32)[:, None])
    return path


def flash(second: float, *, size: tuple[int, int] = (48, 64)) -> NDArray[np.uint8]:
    """Draw the picture at `second`: white for 0.1 s of each second.

    The flash is in the middle of the second.
    """
    return np.full(size, 235 if 0.5 <= second % 1 < 0.5999 else 16, np.uint8)


def beep(seconds: Floats) -> Floats:
    """Return samples of a 1 kHz tone, on for 0.1 s every second.

    `seconds` are their times. The beep is in the middle of the second.
    """
    return np.where((seconds % 1 >= 0.5) & (seconds % 1 < 0.6), 0.5 * np.sin(2 * np.pi * 1000 * seconds), 0.0)


def lumas(path: Path) -> tuple[Floats, Floats]:
    """Return the time in seconds and the mean luma of each frame."""
    with read_frames(path) as frames:
        pairs = [(float(frame.time), float(frame.luma().mean())) for frame in frames]
    return np.array([time for time, _ in pairs]), np.array([mean for _, mean in pairs])


def sound(path: Path, track: int = 0) -> tuple[NDArray[np.float32], int, float]:
    """Return a track's samples (channels, n), sample rate and start time."""
    with read_audio(path, track) as blocks:
        parts = list(blocks)
    return np.concatenate([part.samples for part in parts], axis=1), parts[0].sample_rate, float(parts[0].start)


def flashes(path: Path) -> Floats:
    """Return the start times of all flashes, in seconds."""
    times, means = lumas(path)
    return times[1:][(means[1:] > 120) & (means[:-1] <= 120)]


def beeps(path: Path, near: Floats, *, level: float = 0.177) -> Floats:
    """Return the start of the beep nearest to each time in `near`, in seconds.

    A beep begins where the sound first reaches half of a beep's level.
    """
    samples, rate, start = sound(path)
    loud = np.sqrt(np.convolve(samples[0] ** 2, np.ones(240) / 240, mode="same")) > level
    rises = np.flatnonzero(loud[1:] & ~loud[:-1]) / rate + start
    return np.array([rises[np.argmin(np.abs(rises - time))] for time in near])
