"""Estimate of the memory that an effect needs, and the limit.

Jobs whose estimate exceeds the limit are refused.
"""

import av

from services.effects.scene.concurrency import worker_count
from services.effects.scene.small_planes import small_size
from shared.errors import FieldError, Invalid
from shared.settings import current

SHARE = 0.6
"""Share of a job's memory that may be used for frames kept in memory. Decoding, encoding and libraries need the rest."""
_LIBRARY_BYTES = 10 * 1000**2
"""Memory of the libraries that only the effects load."""
_FRAGMENTATION = 1.8
"""Heap space that pictures take, as a multiple of their size. Freed pictures leave holes that are not reused at once."""


def frames_in_work() -> int:
    """Return the number of frames that are being processed at a time.

    They are in two steps of the work. Each step has one frame per worker, and two queued frames.
    """
    return 2 * (worker_count() + 2)


def stored_bytes(pixel_format: str) -> float:
    """Return a pixel format's bytes per pixel at 8 bits per sample.

    The value depends on the chroma sampling: 1.5 for 4:2:0, 3 for 4:4:4 and RGB. Gray formats count as 1.5.
    """
    parts = av.VideoFormat(pixel_format, 16, 16).components[:3]
    return max(sum(part.width * part.height for part in parts) / 256, 1.5)


def needed_bytes(
    width: int,
    height: int,
    *,
    held: int,
    waiting: int,
    bytes_per_pixel: float,
    full_size: bool,
    small_bytes: float = 9,
    mixing: float = 0,
) -> int:
    """Estimate the memory that an effect needs, in bytes.

    The estimate does not depend on the clip's length. It leaves out the memory of decoder and encoder. `held`: frames of a trail, layers x
    spacing + 1 per side. `waiting`: frames that wait for later frames. `bytes_per_pixel`: bytes per pixel of a picture in full size.
    `full_size`: whether held frames keep such a picture; if not, as for soft ghosts, only frames that wait or are in work do.
    `small_bytes`: bytes per pixel of the small planes (Y, U, V, masks, ghosts), which all frames keep. `mixing`: bytes that each worker
    needs while it mixes.
    """
    across, down = small_size(width, height)
    whole = waiting + frames_in_work() + (held if full_size else 0)
    small = (held + waiting + frames_in_work()) * across * down * small_bytes
    return int(whole * width * height * bytes_per_pixel * _FRAGMENTATION + small + worker_count() * mixing + _LIBRARY_BYTES)


def check_memory_budget(needed: int, fields: str, *, errors: tuple[str, ...]) -> None:
    """Raise Invalid if `needed` bytes exceed the limit.

    The limit is SHARE of the job's memory. `fields`: params to lower, as text for the error. `errors`: names of the params at fault.
    """
    limit = int(current().job_memory_bytes * SHARE)
    if needed > limit:
        detail = f"At this picture size, the job would hold {needed / 1e9:.1f} GB of frames in memory; the limit is {limit / 1e9:.1f} GB"
        raise Invalid(f"{detail}. Lower {fields}.", errors=[FieldError(field=f"params.{name}", detail=detail) for name in errors])
