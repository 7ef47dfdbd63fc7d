"""The media store: one folder per medium on a shared volume.

The gateway and all workers share the volume. There is no database.

    <root>/<owner>/<id>/record.json, content.<suffix>, thumbnail.jpg
    <root>/<owner>/.by-hash/      the index by hash (owner_folder/hash_index.py)
    <root>/.reserved/             disk space that requests under way have reserved (reservations.py)
    <root>/.incoming/<random>/    being written; becomes a medium by one rename
    <root>/.trash/<random>/       being deleted

A medium appears and disappears by renaming its folder, so record and file are there together or not at all, also after a crash.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from shared.errors import Invalid, UnknownMedia
from shared.log import note_changes
from shared.media.disk import read_text, sync_folder
from shared.media.ids import checked_parts, is_id, is_owner, new_id
from shared.media.names import SUFFIX, safe_name
from shared.media.owner_folder.hash_index import HashIndex
from shared.media.record import MediaRecord
from shared.media.reservations import Reservation, Room
from shared.media_info import MediaInfo
from shared.operation import Kind

RECORD, THUMBNAIL, BY_HASH = "record.json", "thumbnail.jpg", ".by-hash"
IN_USE_S = 300.0
"""Seconds for which an unlisted medium is kept after its last use. This holds on a full disk, too: a job may be reading the medium."""
ABANDONED_AFTER = timedelta(days=1)
"""A temporary folder is deleted if nothing was written to it for this long."""

# Return types of MediaStore. They have names because `list` is a method of that class.
Ids = list[str]
Page = tuple[list[MediaRecord], str | None]


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A temporary folder on the store's volume.

    `content`: path for the file.
    """

    folder: Path

    @property
    def content(self) -> Path:
        return self.folder / "content"


@dataclass(frozen=True, kw_only=True)
class NewMedium:
    """Properties of a file that is about to be published.

    `suffix` is like ".mp4". `source` is "upload", "url" or a job's id. `media` is what the probe reported. `sha256` and `bytes` are
    measured where they are None. With a `media_id` (from `new_id`, kept by the caller) a repeated call returns the medium that the first
    call made, so that a step that runs at least once publishes exactly once. `expires`: the store's time to live applies. Raises ValueError
    for a malformed suffix.
    """

    owner: str
    name: str
    kind: Kind
    content_type: str
    suffix: str
    source: str
    media: MediaInfo | None
    sha256: str | None = None
    bytes: int | None = None
    media_id: str | None = None
    expires: bool = True
    ttl_s: float | None = None
    """Time to live in seconds; None: the default of the store."""
    listed: bool = True

    def __post_init__(self) -> None:
        if SUFFIX.fullmatch(self.suffix) is None:
            raise ValueError(f"{self.suffix = } must be a dot and up to eight lower-case letters or digits")


class MediaStore:
    """The media of all owners, below one folder.

    Every method blocks on the disk: call it in a thread from async code. Malformed owners and ids raise UnknownMedia (`list` raises
    ValueError for an owner), as does another owner's medium.
    """

    def __init__(self, root: Path, *, ttl_s: float, limit_of: Callable[[str], int | None] = lambda _owner: None, keep_free_bytes: int = 0):
        """Open the store in `root`, which is created on first use.

        `limit_of`: returns the largest number of bytes that an owner may store, None without a limit. `keep_free_bytes`: bytes of the
        disk that new files leave free.
        """
        self.root = root.absolute()
        self.ttl = timedelta(seconds=ttl_s)
        self.room = Room(self.root, limit_of=limit_of, keep_free_bytes=keep_free_bytes)
        self._incoming, self._trash = self.root / ".incoming", self.root / ".trash"

    @contextmanager
    def incoming(self) -> Iterator[Incoming]:
        """Yield a temporary folder for a new file.

        It is removed after the block unless it was published.
        """
        folder = self._incoming / new_id()
        folder.mkdir(parents=True)
        try:
            yield Incoming(folder=folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(
        self, incoming: Incoming, new: NewMedium, *, file: Path | None = None, reservation: Reservation | None = None
    ) -> MediaRecord:
        """Move a file into the store as the medium `new`.

        Returns its record. `file`: the file to move, by default `incoming.content`; it must lie on the store's volume. `reservation`: of
        the file's disk space; it ends here. The medium is on disk (fsync) when this returns. Raises ValueError if `new.bytes` is not the
        size of the file.
        """
        media_id = new.media_id or new_id()
        target = self._folder(new.owner, media_id)
        if target.exists():
            return self.get(new.owner, media_id)
        content = incoming.folder / f"content{new.suffix}"
        os.replace(file or incoming.content, content)
        size, digest = _settle(content, digest=new.sha256 is None)
        if new.bytes is not None and new.bytes != size:
            raise ValueError(f"{new.bytes = } was announced for {new.name!r}, but {size} bytes are on disk")
        created_at = datetime.now(UTC)
        record = MediaRecord(
            id=media_id,
            name=safe_name(new.name),
            kind=new.kind,
            content_type=new.content_type,
            bytes=size,
            sha256=new.sha256 or digest,
            created_at=created_at,
            expires_at=created_at + (self.ttl if new.ttl_s is None else timedelta(seconds=new.ttl_s)) if new.expires else None,
            listed=new.listed,
            source=new.source,
            media=None if new.media is None else new.media.model_dump(mode="json"),
        )
        _write_record(incoming.folder / RECORD, record)
        sync_folder(incoming.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with reservation.ending() if reservation else nullcontext():
                os.rename(incoming.folder, target)
        except OSError:
            if not target.exists():
                raise
            return self.get(new.owner, media_id)  # another process published it first: renaming never replaces a folder with files
        sync_folder(target.parent)
        note_changes(media_id)
        if record.listed:
            self._index(new.owner).add(record.sha256, media_id)
        return record

    def by_hash(self, owner: str, sha256: str) -> MediaRecord:
        """Return the newest listed medium of `owner` with this SHA-256.

        `sha256`: 64 hexadecimal digits, in lower case. Raises UnknownMedia if there is none.
        """
        for media_id in self._index(owner).ids(sha256):
            with suppress(UnknownMedia):  # the medium was deleted
                return self.get(owner, media_id)
        raise UnknownMedia(f"There is no medium with the SHA-256 {sha256}: upload the file.")

    def get(self, owner: str, media_id: str) -> MediaRecord:
        """Read the record of a medium.

        Raises UnknownMedia if `owner` has no medium with that id.
        """
        try:
            text = read_text(self._folder(owner, media_id) / RECORD)
        except (FileNotFoundError, NotADirectoryError):
            raise _unknown(media_id) from None
        return MediaRecord.model_validate_json(text)

    def content_path(self, owner: str, media_id: str) -> Path:
        """Return the path of a medium's file.

        Raises UnknownMedia if `owner` has no medium with that id.
        """
        path = next(self._folder(owner, media_id).glob("content.*"), None)
        if path is None:
            raise _unknown(media_id)
        return path

    def thumbnail_path(self, owner: str, media_id: str) -> Path:
        """Return the path of a medium's thumbnail, existing or not.

        Raises UnknownMedia if `owner` has no medium with that id.
        """
        return self.content_path(owner, media_id).with_name(THUMBNAIL)

    def keep_thumbnail(self, owner: str, media_id: str, file: Path) -> None:
        """Store `file` as the thumbnail of a medium.

        `file`: a JPEG on the store's volume. Raises UnknownMedia if `owner` has no medium of that id.
        """
        try:
            os.replace(file, self._folder(owner, media_id) / THUMBNAIL)
        except FileNotFoundError:
            raise _unknown(media_id) from None

    def rename(self, owner: str, media_id: str, name: str) -> MediaRecord:
        """Rename a medium; return its record. Raises UnknownMedia."""
        record = self.get(owner, media_id).model_copy(update={"name": safe_name(name)})
        folder = self._folder(owner, media_id)
        partial = folder / f"{RECORD}.{new_id()}.part"
        try:
            _write_record(partial, record)
            os.replace(partial, folder / RECORD)
        except FileNotFoundError:
            raise _unknown(media_id) from None
        sync_folder(folder)
        os.utime(folder.parent)  # changes `revision`
        return record

    def mark_used(self, owner: str, media_id: str) -> None:
        """Record the current time as a medium's last use."""
        with suppress(FileNotFoundError):
            os.utime(self._folder(owner, media_id))

    def list(self, owner: str, *, kind: Kind | None = None, size: int | None = None, limit: int = 50, cursor: str | None = None) -> Page:
        """Return a page of records, newest first, and the next page's cursor.

        `kind` and `size` (bytes of the file) select records. `limit`: at least 1. The cursor is None at the end. Raises Invalid for a bad
        cursor, and ValueError for a bad limit.
        """
        if limit < 1:
            raise ValueError(f"{limit = } must be at least 1")
        if cursor is not None and not is_id(cursor):
            raise Invalid(f"{cursor[:64]!r} is not a cursor: use `next_cursor` of the previous page.")
        page: list[MediaRecord] = []
        for media_id in sorted((i for i in self._ids(owner) if cursor is None or i < cursor), reverse=True):
            try:
                record = self.get(owner, media_id)
            except UnknownMedia:  # the medium was deleted meanwhile
                continue
            if not record.listed or kind not in (None, record.kind) or size not in (None, record.bytes):
                continue
            if len(page) == limit:
                return page, page[-1].id
            page.append(record)
        return page, None

    def delete(self, owner: str, media_id: str) -> None:
        """Delete a medium.

        Processes with the file open can go on reading. Raises UnknownMedia if `owner` has no medium with that id.
        """
        grave = self._trash / new_id()
        grave.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(self._folder(owner, media_id), grave)
        except FileNotFoundError:
            raise _unknown(media_id) from None
        note_changes(media_id)
        shutil.rmtree(grave, ignore_errors=True)

    def sweep(self, now: datetime, referenced: set[str]) -> Ids:
        """Delete expired media and abandoned files.

        Returns the ids of the deleted media. Media that expired before `now` are deleted unless `referenced`. A medium with an unreadable
        record is kept, so that its file can be rescued.
        """
        removed = []
        for owner in (path.name for path in _children(self.root) if is_owner(path.name)):
            for media_id in self._ids(owner):
                if media_id not in referenced and self._expired(owner, media_id, now):
                    with suppress(UnknownMedia):  # another process sweeps too
                        self.delete(owner, media_id)
                        removed.append(media_id)
            self._index(owner).sweep(partial(self._exists, owner))
        for folder in _children(self._incoming):
            if now - _last_written(folder) > ABANDONED_AFTER:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in _children(self._trash):
            shutil.rmtree(folder, ignore_errors=True)
        return removed

    def sweep_unlisted(self, *, most_bytes: int, free_bytes: int) -> Ids:
        """Delete unlisted media, such as proxies, least recently used first, until both limits hold.

        Stops when the remaining ones have at most `most_bytes` bytes and the disk has at least `free_bytes` free, or when the next one was
        used within IN_USE_S. Returns the ids of the deleted media.
        """
        unlisted = sorted(self._unlisted(), reverse=True)
        missing = max(free_bytes - shutil.disk_usage(self.root).free, 0) if unlisted else 0
        total = sum(size for _, size, *_ in unlisted)
        removed = []
        for used_at, size, owner, media_id in reversed(unlisted):
            if (total <= most_bytes and missing <= 0) or time.time() - used_at < IN_USE_S:
                break
            with suppress(UnknownMedia):  # another process sweeps too
                self.delete(owner, media_id)
                removed.append(media_id)
            total, missing = total - size, missing - size
        return removed

    def _unlisted(self) -> Iterator[tuple[float, int, str, str]]:
        """Yield (last use, bytes, owner, id) of each unlisted medium."""
        for owner in (path.name for path in _children(self.root) if is_owner(path.name)):
            for media_id in self._ids(owner):
                with suppress(UnknownMedia, ValueError, FileNotFoundError):
                    record = self.get(owner, media_id)
                    if not record.listed:
                        yield self._folder(owner, media_id).stat().st_mtime, record.bytes, owner, media_id

    def _exists(self, owner: str, media_id: str) -> bool:
        return (self.root / owner / media_id).exists()

    def _index(self, owner: str) -> HashIndex:
        return HashIndex(self.root / owner / BY_HASH)

    def _folder(self, owner: str, media_id: str) -> Path:
        owner, media_id = checked_parts(owner, media_id)
        return self.root / owner / media_id

    def _ids(self, owner: str) -> Ids:
        if not is_owner(owner):
            raise ValueError(f"{owner = } is no owner's name")
        return [path.name for path in _children(self.root / owner) if is_id(path.name)]

    def _expired(self, owner: str, media_id: str, now: datetime) -> bool:
        try:
            expires_at = self.get(owner, media_id).expires_at
        except (UnknownMedia, ValueError):
            return False
        return expires_at is not None and expires_at < now


def _write_record(path: Path, record: MediaRecord) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(record.model_dump_json(indent=1, exclude={"urls"}))
        out.flush()
        os.fsync(out.fileno())


def _unknown(media_id: str) -> UnknownMedia:
    return UnknownMedia(f"There is no medium {media_id!r}: it was deleted, has expired, or the id is wrong.")


def _children(folder: Path) -> Iterator[Path]:
    try:
        yield from list(folder.iterdir())
    except FileNotFoundError:
        return


def _last_written(folder: Path) -> datetime:
    newest = 0.0
    for path in (folder, *_children(folder)):
        with suppress(FileNotFoundError):
            newest = max(newest, path.stat().st_mtime)
    return datetime.fromtimestamp(newest, UTC)


def _settle(path: Path, *, digest: bool) -> tuple[int, str]:
    """Flush a file to disk; return its size and SHA-256.

    The SHA-256 is empty unless `digest`.
    """
    with path.open("rb") as file:
        os.fsync(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest() if digest else ""
        return os.fstat(file.fileno()).st_size, sha256
