"""Estimates of a job's memory before it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from shared.errors import TooLarge

PROCESS_BYTES = 100 * 1000**2
"""Memory in bytes that most jobs' processes need besides pictures. `python -m benchmarks.suite.bench_memory` measures it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameSize:
    """Displayed size of a video's frames or of a picture, in pixels.

    `frame_rate` in fps; 0 for a picture.
    """

    width: int
    height: int
    pixel_format: str
    frame_rate: Fraction

    @classmethod
    def of(cls, media: Mapping[str, Any]) -> Self | None:
        """Return the frame size that a media record states, or None."""
        if not media.get("width") or not media.get("height"):
            return None
        rate = Fraction(media.get("frame_rate") or 0)
        return cls(width=media["width"], height=media["height"], pixel_format=media["pixel_format"], frame_rate=rate)

    @property
    def pixels(self) -> int:
        return self.width * self.height


def check_frame_memory(
    name: str, sizes: Mapping[str, FrameSize], *, bytes_per_pixel: float, limit_bytes: int, process_bytes: int = PROCESS_BYTES
) -> None:
    """Raise TooLarge if a job needs more than `limit_bytes` of memory.

    The need follows from the frames of the largest input. `name`: of the operation. `sizes`: of the largest medium of each
    input, by name. `process_bytes`: memory of the job without pictures.
    """
    limit = f"a job may use {limit_bytes / 1e9:.1f} GB (REELWRIGHT_JOB_MEMORY_BYTES)"
    if process_bytes > limit_bytes:
        detail = f"{name} needs about {process_bytes / 1e9:.1f} GB of memory with these parameters, for inputs of any size; {limit}"
        raise TooLarge(f"{detail}. Choose a smaller model if there is one, or ask the operator to raise the limit to {process_bytes}.")
    field, largest = max(sizes.items(), key=lambda item: item[1].pixels, default=("", None))
    if largest is None:
        return
    needed = int(process_bytes + bytes_per_pixel * largest.pixels)
    if needed > limit_bytes:
        detail = f"{name} needs about {needed / 1e9:.1f} GB of memory for pictures of {largest.width}x{largest.height}; {limit}"
        help_text = "Scale the clip down with media.transcode first, or ask the operator to raise the limit."
        raise TooLarge.field(f"inputs.{field}", detail, f"inputs.{field}: {detail}. {help_text}")
