"""Store, functions and settings that the media and upload routes need."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.errors import UnknownMedia
from shared.media.disk import on_disk
from shared.media.ingestion import Probe
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.settings import Settings

EXPIRES_SOON = timedelta(hours=1)

Thumbnail = Callable[[Path, Path], Awaitable[None]]
"""(medium, target): writes a small JPEG of the medium. The JPEG goes to `target`; a child process makes it."""

InUse = Callable[[str, str], Awaitable[str | None]]
"""(owner, media id) -> id of an unfinished job that reads it, or None."""

Forget = Callable[[str, str], Awaitable[None]]
"""(owner, media id): deletes ended, unlisted jobs that read the medium, such as previews. Their outputs are deleted, too."""


@dataclass(frozen=True, kw_only=True)
class MediaServices:
    """Container of the store, functions and settings for the media and upload routes."""

    store: MediaStore
    probe: Probe
    thumbnail: Thumbnail
    in_use: InUse
    forget_views: Forget
    settings: Settings

    async def by_hash(self, owner: str, sha256: str) -> MediaRecord:
        """Return the newest listed medium of `owner` with this SHA-256.

        `sha256`: 64 hexadecimal digits, in lower case. Raises UnknownMedia if there is none, or if it expires within EXPIRES_SOON.
        """
        record = await on_disk(self.store.by_hash, owner, sha256)
        if record.expires_at is not None and record.expires_at < datetime.now(UTC) + EXPIRES_SOON:
            raise UnknownMedia("The medium with this content expires soon: send the file again.")
        return record
