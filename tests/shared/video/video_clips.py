"""Clips made by ffmpeg, and files decoded by ffmpeg."""

import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from shared.video import read_audio, read_frames

Make = Callable[..., Path]


def run_ffmpeg(*arguments: str) -> bytes:
    """Run ffmpeg; return its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def decoded(path: Path, pixel_format: str = "rgb24", *extra: str) -> NDArray[np.uint8]:
    """Decode raw frames with ffmpeg, at the file's own rate."""
    output = run_ffmpeg(
        "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", *extra, "-f", "rawvideo", "-pix_fmt", pixel_format, "-"
    )
    return np.frombuffer(output, np.uint8)


def turned(clip: Path, degrees: int) -> Path:
    """Copy a clip, marked as rotated by `degrees`; return the path."""
    path = clip.with_name(f"turned{degrees}.mp4")
    run_ffmpeg("-display_rotation", str(degrees), "-i", str(clip), "-c", "copy", str(path))
    return path


def onsets(times: Iterable[Fraction | float], loud: Iterable[bool]) -> list[float]:
    """Return the times at which sound starts after a quiet time.

    The quiet time is half a second or more.
    """
    onsets: list[float] = []
    last = -1.0
    for time, is_loud in zip(times, loud, strict=True):
        if is_loud:
            if float(time) - last > 0.5:
                onsets.append(float(time))
            last = float(time)
    return onsets


def part(container: str, coding: str, offset: float = 0, seconds: float = 2) -> bytes:
    """Encode a stream with flash and beep at 0.5 s and 1.5 s.

    `offset`: seconds that its clock starts with.
    """
    flash = f"color=black:s=64x48:r=25:d={seconds},drawbox=color=white:t=fill:enable='between(mod(t,1),0.499,0.539)'"
    beep = f"aevalsrc='sin(2*PI*1000*t)*between(mod(t,1),0.5,0.54)':d={seconds}:s=48000"
    words = ["-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, *coding.split(), "-g", "25", "-pix_fmt", "yuv420p"]
    return run_ffmpeg(*words, "-output_ts_offset", str(offset), "-f", container, "-")


def heard(path: Path) -> list[float]:
    """Return the times at which beeps begin."""
    times: list[Fraction] = []
    loud: list[bool] = []
    with read_audio(path) as blocks:
        for block in blocks:
            count = block.samples.shape[1]
            times += [block.start + Fraction(at, block.sample_rate) for at in range(0, count, 48)]
            loud += [bool(np.abs(block.samples[:, at : at + 48]).max() > 0.2) for at in range(0, count, 48)]
    return onsets(times, loud)


def flash_times(path: Path) -> list[float]:
    """Return the times at which flashes begin."""
    with read_frames(path) as frames:
        shown = [(frame.time, frame.luma().mean() > 120) for frame in frames]
    return onsets([time for time, _ in shown], [bright for _, bright in shown])
