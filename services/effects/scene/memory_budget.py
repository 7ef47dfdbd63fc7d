"""How much memory a trail needs, and a clear word where that is more than a job may have."""

import av

from services.effects.scene.moments import cores, small_size
from shared.errors import Invalid
from shared.settings import current

SHARE = 0.6
"""Part of a job's memory that held frames may take: the rest is for decoding, encoding and the libraries."""


_CODE = 10 * 1000**2
"""Bytes of the parts of libraries that only the effects use."""
_HOLES = 1.8
"""How much of the heaps pictures take, as a multiple of their size: those that are let go of leave holes, not filled at once."""


def in_work() -> int:
    """Frames that are between two steps of the work: those that all cores are at, and a few that wait for their turn."""
    return 2 * (cores() + 2)


def stored_bytes(pixel_format: str) -> float:
    """Bytes a pixel of planes with 8 bits a sample that keep the chroma of a file's format: 1.5 of 4:2:0, 3 of 4:4:4 and of R, G, B."""
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
    """Bytes that a trail holds, whatever the clip's length.

    `held`: frames of a trail (layers x spacing + 1, on both sides if it has two), `waiting`: frames that wait for those after them. Ghosts
    in full size keep whole pictures, (held + waiting + in work) x width x height x bytes_per_pixel; soft ones small planes only, with
    (waiting + in work) whole pictures. Each of those frames keeps `small_bytes` a small pixel (of Y, U, V, masks, and what ghosts are made
    of) on top, pictures leave holes in the heaps, and each core takes `mixing` bytes while it is at one. The rest, queues included, is
    what reading and writing alone hold.
    """
    across, down = small_size(width, height)
    whole = waiting + in_work() + (held if full_size else 0)
    small = (held + waiting + in_work()) * across * down * small_bytes
    return int(whole * width * height * bytes_per_pixel * _HOLES + small + cores() * mixing + _CODE)


def check_memory(needed: int, fields: str, *, errors: tuple[str, ...]) -> None:
    """Raise Invalid if that is too much for a job; `fields` says what to lower, `errors` names the parameters."""
    limit = int(current().job_memory_bytes * SHARE)
    if needed > limit:
        detail = f"That needs {needed / 1e9:.1f} GB for the frames that are held at this picture size; a job may hold {limit / 1e9:.1f} GB"
        raise Invalid(f"{detail}. Lower {fields}.", errors=[{"field": f"params.{name}", "detail": detail} for name in errors])
