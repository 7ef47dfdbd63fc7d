"""Store, functions and settings that the media and upload routes need."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from shared.media.ingest import Probe
from shared.media.store import MediaStore
from shared.settings import Settings

Thumbnail = Callable[[Path, Path], Awaitable[None]]
"""(medium, target): writes a small JPEG of the medium to `target`, in a child process."""

InUse = Callable[[str, str], Awaitable[str | None]]
"""(owner, media id) -> id of an unfinished job that reads the medium, or None."""


Forget = Callable[[str, str], Awaitable[None]]
"""(owner, media id): deletes the ended, unlisted jobs that read the medium (such as previews), with their outputs."""


@dataclass(frozen=True, kw_only=True)
class MediaServices:
    """Container of the store, functions and settings for the media and upload routes."""

    store: MediaStore
    probe: Probe
    thumbnail: Thumbnail
    in_use: InUse
    forget_views: Forget
    settings: Settings
