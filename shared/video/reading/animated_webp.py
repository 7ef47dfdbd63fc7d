"""Recognition of animated pictures, and lossless copies of animated WebP files.

FFmpeg does not decode animated WebP, but it decodes the copies.
"""

import os
import warnings
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from shared.errors import BrokenMedia, TooLarge
from shared.video.limits import Limits
from shared.video.reading.file_copies import kept_copy

_MOST_BYTES = 4 * 1024**3
_ANIMATION = 0x02
_SHOWN_MS, _TOO_SHORT_MS = 100, 10
"""A frame that states _TOO_SHORT_MS or less is shown for _SHOWN_MS, as in browsers."""


def is_animated_webp(head: bytes) -> bool:
    """Return whether a file's first bytes begin an animated WebP.

    Source: RFC 9649, 2.7.
    """
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) > 20 and bool(head[20] & _ANIMATION)


def is_animated_png(head: bytes) -> bool:
    """Return whether a file's first bytes begin an animated PNG.

    An animated PNG has a chunk `acTL` of more than one frame before the picture's data.
    """
    position = 8
    while head.startswith(b"\x89PNG\r\n\x1a\n") and position + 16 <= len(head):
        length, name = int.from_bytes(head[position : position + 4], "big"), head[position + 4 : position + 8]
        if name == b"acTL":
            return int.from_bytes(head[position + 8 : position + 12], "big") > 1
        if name == b"IDAT":
            return False
        position += length + 12
    return False


def is_animation(head: bytes) -> bool:
    """Return whether a picture file is an animation, which counts as video."""
    return is_animated_webp(head) or is_animated_png(head)


def decodable_copy(path: str | os.PathLike[str], limits: Limits) -> AbstractContextManager[Path]:
    """Convert an animated WebP losslessly to Matroska; yield the copy's path.

    The copy stays during the `with` block; the process keeps it for reuse. Raises BrokenMedia or TooLarge.
    """

    def write(copy: Path) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _write(path, os.fspath(copy), limits)
        except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
            detail = f"{Path(path).name!r} cannot be read as an animation ({error}). Export or upload it again."
            raise BrokenMedia(detail) from error

    return kept_copy(path, ".mkv", write)


def _write(path: str | os.PathLike[str], name: str, limits: Limits) -> None:
    with Image.open(path, formats=["WEBP"]) as image:
        limits.check_size(*image.size)
        frames = int(getattr(image, "n_frames", 1))
        if frames * image.width * image.height * 4 > _MOST_BYTES:
            raise TooLarge(
                f"The animation has {frames} pictures of {image.width}x{image.height}, which are too large to unpack. Convert it to MP4."
            )
        shows_through = _shows_through(image, frames)
        with av.open(name, "w", format="matroska") as target:
            stream = target.add_stream("ffv1", rate=Fraction(1000), width=image.width, height=image.height)
            stream.pix_fmt = "bgra" if shows_through else "bgr0"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            at = 0
            for number in range(frames):
                image.seek(number)
                image.load()
                length_ms = int(image.info.get("duration") or 0)
                length_ms = length_ms if length_ms > _TOO_SHORT_MS else _SHOWN_MS
                limits.check_duration(at / 1000)
                colors = np.asarray(image.convert("RGBA"))
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(colors[..., [2, 1, 0, 3]]), format="bgra")
                frame = frame if shows_through else frame.reformat(format="bgr0")
                frame.pts, frame.time_base, frame.duration = at, Fraction(1, 1000), length_ms
                for packet in stream.encode(frame):
                    packet.duration = length_ms
                    target.mux(packet)
                at += length_ms
            for packet in stream.encode(None):
                target.mux(packet)


def _shows_through(image: Image.Image, frames: int) -> bool:
    """Return whether any of the first `frames` pictures has a transparent pixel.

    The header does not tell: encoders store pixels that stay the same as transparent, so that the picture before shows through.
    """
    if image.mode != "RGBA":
        return False
    for number in range(frames):
        image.seek(number)
        if image.getextrema()[-1] != (255, 255):
            return True
    return False
