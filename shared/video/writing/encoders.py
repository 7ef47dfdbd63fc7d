"""The table of video encoders, with their options for each `quality`."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import av.error
import imageio_ffmpeg
import numpy as np

from shared.errors import Invalid
from shared.settings import current


@dataclass(frozen=True, slots=True)
class Encoder:
    """A video encoder, with its pixel formats and options.

    Quality is 0 to 100. `on_gpu`: it needs a GPU.
    """

    name: str
    pixel_formats: frozenset[str]
    options: Callable[[int], Mapping[str, str]]
    on_gpu: bool = False


_NO_CAPTIONS = {"a53cc": "0"}
"""Option that turns closed captions off. Each picture carries two letters, so captions need all pictures."""
_KEEP_CAPTIONS = frozenset({"libx264", "h264_nvenc"})


# Fitted so that 30, 50, 70 and 90 give about the SSIM of libx264 on 720p animation: 0.945, 0.977, 0.989, 0.994.
def _x264(quality: int) -> Mapping[str, str]:
    return {"crf": f"{40 - 0.3 * quality:.1f}", "preset": "veryfast"} | _NO_CAPTIONS


def _nvenc(quality: int) -> Mapping[str, str]:
    return {"rc": "vbr", "cq": f"{43 - 0.3 * quality:.1f}", "b": "0", "preset": "p4", "tune": "hq"} | _NO_CAPTIONS


def _x265(quality: int) -> Mapping[str, str]:
    return {"crf": f"{42 - 0.3 * quality:.1f}", "preset": "fast", "x265-params": "log-level=error"}


def _vp9(quality: int) -> Mapping[str, str]:
    return {"crf": f"{min(round(75 - 0.7 * quality), 63)}", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}


def _av1(quality: int) -> Mapping[str, str]:
    # SVT-AV1's scale is not linear in the scale of the other encoders.
    crf = np.interp(quality, (0, 30, 50, 70, 90, 100), (63, 60, 42, 18, 7, 3))
    return {"crf": f"{round(float(crf))}", "preset": "8"}


def _prores(_quality: int) -> Mapping[str, str]:
    return {"profile": "hq", "vendor": "apl0"}


def _prores_4444(_quality: int) -> Mapping[str, str]:
    return {"profile": "4444", "alpha_bits": "16", "vendor": "apl0"}


def _webp(quality: int) -> Mapping[str, str]:
    return {"quality": f"{quality}", "compression_level": "4"}


_EIGHT = frozenset({"yuv420p", "yuv444p"})
ENCODERS: tuple[Encoder, ...] = (
    Encoder("h264_nvenc", _EIGHT, _nvenc, on_gpu=True),
    Encoder("libx264", _EIGHT | {"yuv422p", "gray"}, _x264),
    Encoder("hevc_nvenc", frozenset({"yuv420p", "p010le"}), _nvenc, on_gpu=True),
    Encoder("libx265", frozenset({"yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv420p12le"}) | _EIGHT, _x265),
    Encoder("libvpx-vp9", frozenset({"yuva420p", "yuv420p10le"}) | _EIGHT, _vp9),
    Encoder("libsvtav1", frozenset({"yuv420p", "yuv420p10le"}), _av1),
    Encoder("prores_ks", frozenset({"yuv422p10le", "yuv444p10le", "yuva444p10le"}), _prores),
    Encoder("libwebp_anim", frozenset({"yuv420p", "yuva420p"}), _webp),
)
_PREFERRED: Mapping[str, tuple[str, ...]] = {
    ".mp4": ("h264_nvenc", "libx264", "libx265"),
    ".mov": ("h264_nvenc", "libx264", "prores_ks", "libx265"),
    ".mkv": ("h264_nvenc", "libx264", "libx265", "libvpx-vp9"),
    ".webm": ("libvpx-vp9", "libsvtav1"),
    ".webp": ("libwebp_anim",),
}


ALL_INTRA = {"g": "1", "bf": "0"}
"""Options of H.264 and HEVC encoders that make every picture a keyframe."""


def choose_encoder(choice: str, suffix: str, pixel_format: str) -> Encoder:
    """Return the encoder `choice`; for "auto", the first encoder that works.

    The encoder must support the suffix and the pixel format. Raises Invalid, listing the encoders that work.
    """
    names = _PREFERRED.get(suffix, ()) if choice == "auto" else (choice,)
    fitting = [encoder for name in names for encoder in ENCODERS if encoder.name == name and pixel_format in encoder.pixel_formats]
    for encoder in fitting:
        if encoder_works(encoder.name, pixel_format):
            return encoder
    names_that_work = ", ".join(name for name, working in encoders().items() if working)
    raise Invalid(
        f"No encoder {choice!r} for {pixel_format} in a {suffix} file works on this machine. Working encoders: {names_that_work}."
    )


def captions_options(encoder: Encoder) -> dict[str, str]:
    """Return the options with which an encoder keeps closed captions.

    There are none if it cannot.
    """
    return {"a53cc": "1"} if encoder.name in _KEEP_CAPTIONS else {}


def encoder_options(encoder: Encoder, quality: int, pixel_format: str) -> dict[str, str]:
    """Return an encoder's options for a quality from 0 to 100.

    0 gives small files, 100 is nearly lossless. They include the GPU that the `device` setting names; without it, NVENC takes the first
    that can encode.
    """
    # SVT-AV1 prints its settings to stderr unless this variable is set.
    os.environ.setdefault("SVT_LOG", "1")
    if not 0 <= quality <= 100:
        raise ValueError(f"{quality = } must be from 0 to 100")
    if encoder.name == "prores_ks" and pixel_format.startswith("yuv") and "444" in pixel_format:
        return dict(_prores_4444(quality))
    number = current().gpu_number
    return dict(encoder.options(quality)) | ({"gpu": str(number)} if encoder.on_gpu and number is not None else {})


def encoder_works(name: str, pixel_format: str = "yuv420p") -> bool:
    """Return whether an encoder works on this machine, on the device of the settings.

    A build may contain encoders whose hardware is missing.
    """
    encoder = next(encoder for encoder in ENCODERS if encoder.name == name)
    return not (encoder.on_gpu and current().device == "cpu") and _encodes(encoder, pixel_format)


@cache
def _encodes(encoder: Encoder, pixel_format: str) -> bool:
    """Encode one picture; return whether that worked."""
    name = encoder.name
    if name not in av.codecs_available:
        return False
    try:
        context: Any = av.CodecContext.create(name, "w")
        context.options = encoder_options(encoder, 50, pixel_format)
        # NVENC refuses smaller pictures.
        context.width, context.height = 256, 256
        context.pix_fmt = pixel_format
        context.time_base = Fraction(1, 25)
        context.framerate = Fraction(25)
        packets = context.encode(av.VideoFrame(256, 256, pixel_format))
        return bool(packets + context.encode(None))
    except (av.error.FFmpegError, ValueError, OSError):
        return False


def encoders() -> dict[str, bool]:
    """Return for each known video encoder whether it works on this machine."""
    return {encoder.name: encoder_works(encoder.name, sorted(encoder.pixel_formats)[-1]) for encoder in ENCODERS}


def ffmpeg_path() -> str:
    """Return the path of the ffmpeg executable.

    It is imageio-ffmpeg's own, or the one in IMAGEIO_FFMPEG_EXE.
    """
    return str(imageio_ffmpeg.get_ffmpeg_exe())
