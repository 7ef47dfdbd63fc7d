"""Clips made by the ffmpeg program, which is also the judge of what the media layer writes."""

import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

Make = Callable[..., Path]


def run_ffmpeg(*arguments: str) -> bytes:
    """Run ffmpeg; its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def decoded(path: Path, pixel_format: str = "rgb24", *extra: str) -> NDArray[np.uint8]:
    """Raw frames as ffmpeg decodes them, one after the other, without any change of rate."""
    output = run_ffmpeg(
        "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", *extra, "-f", "rawvideo", "-pix_fmt", pixel_format, "-"
    )
    return np.frombuffer(output, np.uint8)


def onsets(times: Iterable[Fraction | float], loud: Iterable[bool]) -> list[float]:
    """The times at which something becomes loud (or bright) after half a second or more of quiet."""
    found: list[float] = []
    last = -1.0
    for time, is_loud in zip(times, loud, strict=True):
        if is_loud:
            if float(time) - last > 0.5:
                found.append(float(time))
            last = float(time)
    return found
