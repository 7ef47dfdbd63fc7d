"""Noise and speed of FFmpeg's AAC encoder with both of its `coder` methods.

    python -m benchmarks.speed_ramp.bench_sound_coding

The measure is the noise-to-mask ratio: the energy of the coding noise in bands of half a Bark, relative to the noise that the sound itself
masks there. The masking threshold is the sound's energy, spread by 10 dB a Bark upward and 25 dB a Bark downward, less 15 dB (after
Brandenburg and Sporer, "NMR and masking flag", AES 1992). Below 0 dB noise is inaudible; lower is better.
"""

import io
import time
from collections.abc import Callable

import av
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import sample_clip
from shared.video import read_audio
from shared.video.writing.sound_coding import BITS_PER_CHANNEL

RATE, WINDOW = 48000, 2048
Samples = NDArray[np.float32]


def main() -> None:
    """Print the table."""
    table = Table(title=f"AAC at {BITS_PER_CHANNEL // 1000} kbit/s a channel; {machine()}")
    for head in ("sound", "coder", "noise to mask, dB", "SNR, dB", "CPU s"):
        table.add_column(head, justify="right")
    for name, (samples, layout) in sounds().items():
        for coder in ("twoloop", "fast"):
            decoded, cpu_s = coded(samples, layout, coder)
            noise, tone = aligned(samples, decoded)
            snr = 10 * np.log10((tone**2).sum() / (noise**2).sum())
            loud = [channel for channel in range(len(tone)) if np.abs(tone[channel]).max() > 1e-3]
            ratio = np.mean([noise_to_mask(tone[channel], noise[channel]) for channel in loud])
            table.add_row(name, coder, f"{ratio:.1f}", f"{snr:.1f}", f"{cpu_s:.2f}")
    Console(soft_wrap=True).print(table)


def sounds() -> dict[str, tuple[Samples, str]]:
    """Return the test sounds by name: samples (channels, n) and layout."""
    blocks = list(read_audio(sample_clip(), 0, sample_rate=RATE))
    seconds, rng = np.arange(4 * RATE) / RATE, np.random.default_rng(1)
    tones = sum(np.sin(2 * np.pi * 220 * k * seconds) / k for k in range(1, 12)) * 0.1
    clicks = np.zeros(len(seconds))
    clicks[::12000] = 0.5
    clicks = np.convolve(clicks, np.exp(-np.arange(400) / 40) * rng.standard_normal(400), "same")
    signals: dict[str, Callable[[], NDArray[np.float64]]] = {
        "tones": lambda: np.stack([tones, tones[::-1]]),
        "clicks": lambda: np.stack([clicks, clicks]),
        "noise": lambda: rng.standard_normal((2, len(seconds))) * 0.1,
    }
    film = np.concatenate([block.samples for block in blocks], axis=1)
    return {"film, 5.1": (film, "5.1")} | {name: (make().astype(np.float32), "stereo") for name, make in signals.items()}


def coded(samples: Samples, layout: str, coder: str) -> tuple[Samples, float]:
    """Encode and decode samples; return the result and the encoder's CPU seconds."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE, layout=layout, options={"aac_coder": coder})
        stream.codec_context.bit_rate = BITS_PER_CHANNEL * len(samples)
        resampler = av.AudioResampler("fltp", layout, RATE, frame_size=1024)
        began = time.process_time()
        for start in range(0, samples.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, start : start + 1024]), format="fltp", layout=layout)
            frame.sample_rate, frame.pts = RATE, start
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
        cpu_s = time.process_time() - began
    file.seek(0)
    with av.open(file, "r") as source:
        return np.concatenate([frame.to_ndarray() for frame in source.decode(audio=0)], axis=1), cpu_s


def aligned(samples: Samples, decoded: Samples) -> tuple[Samples, Samples]:
    """Align decoded samples with the original.

    Returns the coding noise and the original. Both have the shape (channels, n).
    """
    length = min(samples.shape[1], 4 * RATE)
    spectra = [np.fft.rfft(part.sum(axis=0)[:length], 2 * length) for part in (samples, decoded)]
    delay = int(np.argmax(np.fft.irfft(spectra[1] * np.conj(spectra[0]))[:8192]))
    count = min(samples.shape[1], decoded.shape[1] - delay)
    return decoded[:, delay : delay + count] - samples[:, :count], samples[:, :count]


def noise_to_mask(sound: Samples, noise: Samples) -> float:
    """Return the mean noise-to-mask ratio of one channel in dB."""
    frequencies = np.fft.rfftfreq(WINDOW, 1 / RATE)
    band = (2 * (13 * np.arctan(0.00076 * frequencies) + 3.5 * np.arctan((frequencies / 7500) ** 2))).astype(int)
    distance = (np.arange(band.max() + 1)[:, None] - np.arange(band.max() + 1)[None, :]) / 2
    spread = 10 ** (-np.where(distance > 0, 10 * distance, -25 * distance) / 10)

    def energies(part: Samples) -> NDArray[np.float64]:
        windows = np.lib.stride_tricks.sliding_window_view(part, WINDOW)[:: WINDOW // 2] * np.hanning(WINDOW)
        power = np.abs(np.fft.rfft(windows)) ** 2
        return np.stack([power[:, band == number].sum(axis=1) for number in range(band.max() + 1)], axis=1)

    own = energies(sound)
    loud = own.sum(axis=1) > own.sum() / len(own) * 1e-4
    ratios = energies(noise)[loud] / ((own @ spread.T)[loud] * 10**-1.5 + 1e-7 * WINDOW)
    return float(10 * np.log10(ratios.mean()))


if __name__ == "__main__":
    main()
