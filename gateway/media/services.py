"""Dependencies of the media and upload routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from shared.media.ingest import Probe
from shared.media.store import MediaStore
from shared.settings import Settings

Thumbnail = Callable[[Path, Path], Awaitable[None]]
"""Writes a small JPEG of the first file's picture to the second path, in a child process."""

InUse = Callable[[str, str], Awaitable[str | None]]
"""(owner, media id) -> id of an unfinished job that reads the medium, or None."""


Forget = Callable[[str, str], Awaitable[None]]
"""(owner, media id): deletes the jobs outside of lists that read the medium, with their outputs."""


@dataclass(frozen=True, kw_only=True)
class MediaServices:
    """Dependencies of the media and upload routes: store, probes, settings."""

    store: MediaStore
    probe: Probe
    thumbnail: Thumbnail
    in_use: InUse
    forget_views: Forget
    settings: Settings
