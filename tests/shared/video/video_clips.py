"""Clips made by ffmpeg, and files decoded by ffmpeg."""

import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

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
