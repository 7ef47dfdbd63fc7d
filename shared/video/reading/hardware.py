"""Decoding on an NVIDIA GPU: detection, supported formats, a speed comparison."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import av
import av.error
from av.codec.hwaccel import HWAccel

from shared.errors import ReelwrightError
from shared.settings import current

# Codecs and pixel formats that all NVDEC chips decode. Only some chips decode 4:2:2 or 4:4:4, none decodes transparency.
_CODECS = frozenset({"h264", "hevc", "vp9", "av1"})
_FORMATS = frozenset({"yuv420p", "yuv420p10le"})
# Least pixels of a frame for decoding on the GPU. Fetching smaller frames from the GPU takes longer than decoding them on the CPU.
_LEAST_PIXELS = 1280 * 720
TRIAL_PICTURES = 48
"""Number of pictures that a trial decodes."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A kind of clip for which hardware and software decoding are compared.

    Each kind is compared once per process.
    """

    codec: str
    pixel_format: str
    size: int
    run: Callable[[bool], None] = field(compare=False, repr=False)
    """Decodes the first pictures, in hardware if its argument is true."""


def accelerator(*, allow_software_fallback: bool = True) -> HWAccel:
    """Return the argument `hwaccel` of `av.open` for decoding on the GPU.

    It is the GPU that the `device` setting names, else FFmpeg's choice. Frames come back in ordinary memory.
    """
    number = current().gpu_number
    return HWAccel("cuda", device=None if number is None else str(number), allow_software_fallback=allow_software_fallback)


@cache
def cuda_works() -> bool:
    """Return whether this machine's GPU can decode video.

    It creates a decoder, since FFmpeg may be built for a GPU that is missing.
    """
    if "h264" not in av.codecs_available:
        return False
    try:
        accelerator(allow_software_fallback=False).create(av.Codec("h264", "r"))
    except (av.error.FFmpegError, OSError, RuntimeError, ValueError, NotImplementedError):
        return False
    return True


def device_choice() -> str:
    """Return the `device` setting without a GPU number.

    One of auto, cpu, cuda.
    """
    device = current().device
    return "cuda" if device.startswith("cuda") else "cpu" if device == "cpu" else "auto"


def fits(codec: str, pixel_format: str | None, width: int, height: int) -> bool:
    """Return whether GPU decoding suits clips of this codec, pixel format and size.

    The GPU must decode the clip to the same pictures as software, and the pictures must be large enough for a gain.
    """
    return codec in _CODECS and pixel_format in _FORMATS and width * height >= _LEAST_PIXELS


def use_hardware(stream: Any, run: Callable[[bool], None]) -> bool:
    """Return whether to decode `stream` on the GPU.

    Call `run` for a trial if needed. With the device "auto" only if a short trial was faster. `run(hardware)` decodes the first pictures of
    the same file.
    """
    device, context = device_choice(), stream.codec_context
    codec = context.codec.canonical_name
    if device == "cpu" or not fits(codec, context.pix_fmt, context.width, context.height) or not cuda_works():
        return False
    # Sizes within a quarter octave of each other are one kind.
    kind = Trial(codec, context.pix_fmt, round(4 * math.log2(context.width * context.height)), run)
    return faster(kind, least=0.0 if device == "cuda" else 1.0)


@cache
def faster(trial: Trial, *, least: float, clock: Callable[[], float] = time.perf_counter) -> bool:
    """Return whether hardware decodes at least `least` times as fast as software.

    False if decoding in hardware fails.
    """
    try:
        trial.run(True)
        start = clock()
        trial.run(True)
        hardware_s = clock() - start
        if not least:
            return True
        start = clock()
        trial.run(False)
        return hardware_s * least < clock() - start
    except (ReelwrightError, av.error.FFmpegError, OSError, RuntimeError):
        return False
