"""Estimate of the memory that an effect holds, and refusal of jobs that would exceed theirs."""

import av

from services.effects.scene.concurrency import worker_count
from services.effects.scene.small_planes import small_size
from shared.errors import Invalid
from shared.settings import current

SHARE = 0.6
"""Share of a job's memory that held frames may take. Decoding, encoding and libraries need the rest."""
_LIBRARY_BYTES = 10 * 1000**2
"""Memory of library code that only the effects load."""
_FRAGMENTATION = 1.8
"""Heap space that pictures take, as a multiple of their size: freed pictures leave holes that are not reused at once."""


def frames_in_work() -> int:
    """Return how many frames are between two steps: one per worker in each of two steps, and a few queued."""
    return 2 * (worker_count() + 2)


def stored_bytes(pixel_format: str) -> float:
    """Return the bytes per pixel of 8-bit planes in a format's chroma sampling: 1.5 for 4:2:0, 3 for 4:4:4 and RGB."""
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
    """Estimate the bytes that an effect holds over plain reading and writing; independent of the clip's length.

    `held`: frames of a trail, layers x spacing + 1 per side; `waiting`: frames that wait for later ones. Ghosts in full size keep
    (held + waiting + in work) pictures of width x height x `bytes_per_pixel`, soft ghosts only (waiting + in work). Each of these frames
    keeps `small_bytes` per small-plane pixel (Y, U, V, masks, ghosts) as well. `mixing`: bytes that each worker needs while it mixes.
    """
    across, down = small_size(width, height)
    whole = waiting + frames_in_work() + (held if full_size else 0)
    small = (held + waiting + frames_in_work()) * across * down * small_bytes
    return int(whole * width * height * bytes_per_pixel * _FRAGMENTATION + small + worker_count() * mixing + _LIBRARY_BYTES)


def check_memory(needed: int, fields: str, *, errors: tuple[str, ...]) -> None:
    """Raise Invalid if `needed` bytes exceed a job's share; `fields` says what to lower, `errors` names the parameters."""
    limit = int(current().job_memory_bytes * SHARE)
    if needed > limit:
        detail = f"At this picture size the job would hold frames of {needed / 1e9:.1f} GB; the limit is {limit / 1e9:.1f} GB"
        raise Invalid(f"{detail}. Lower {fields}.", errors=[{"field": f"params.{name}", "detail": detail} for name in errors])
