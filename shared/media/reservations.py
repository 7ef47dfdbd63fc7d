"""Reservations of disk space and quota by requests under way.

    <media>/.reserved/<id>            one reservation: owner, bytes and folder of its file; locked by the process that holds it
    <media>/.reserved/.lock-<owner>   held while the owner's disk space is checked and reserved
    <media>/.reserved/.lock           held while reservations are listed or changed

All processes that share the media folder see each other's reservations. The kernel releases the lock of a dead process; the next check
deletes its reservations.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from shared.errors import QuotaExceeded, Unavailable
from shared.media.ids import is_id, new_id
from shared.media.owner_folder.changes import stored_bytes

RESERVED, LOCK = ".reserved", ".lock"
UPLOADS, UPLOAD_DATA = "uploads", "data"
"""Folder of unfinished uploads, and the file of their bytes.

The folder lies beside the folder of media; each upload has a folder `<owner>/<id>/` in it.
"""
STEP_BYTES = 16 * 1024 * 1024
"""Bytes reserved at a time for a file of unknown size."""

MOST_FILES = 1000
"""Maximum number of files that are counted in a folder. A job could write more to delay the count."""
SMALL_BYTES = 4 * 1024 * 1024
"""Size up to which files of owners without a quota need no reservation. With many small uploads at once, each check reads many files."""


class Claim(BaseModel):
    """The content of a reservation's file.

    `folder`: where the file grows, relative to the folder of media. `bytes`: size that it may reach.
    """

    model_config = ConfigDict(frozen=True)

    owner: str
    folder: str
    bytes: int

    def place(self, root: Path) -> Path:
        """Return the path of `folder`, in which the file grows. `root`: folder of media."""
        return Path(os.path.normpath(root / self.folder))


class Room:
    """Disk space and quotas of all owners in one media folder.

    All methods block on the disk.
    """

    def __init__(self, root: Path, *, limit_of: Callable[[str], int | None], keep_free_bytes: int):
        self.root = root
        self.limit_of = limit_of
        self.keep_free_bytes = keep_free_bytes
        self._folder = root / RESERVED

    def reservation(self, owner: str, folder: Path) -> "Reservation":
        """Return an empty reservation for the file that grows in `folder`."""
        return Reservation(self, owner, folder)

    def check(self, owner: str, more: int = 0) -> None:
        """Raise QuotaExceeded if `more` bytes do not fit the owner's quota."""
        if (limit := self.limit_of(owner)) is not None:
            with self.locked(owner):
                used = self.used_bytes(owner, except_for=None)
            if used + more > limit:
                raise quota_exceeded(used, more, limit)

    def used_bytes(self, owner: str, *, except_for: Path | None) -> int:
        """Return the bytes of an owner's media, unfinished uploads and reservations.

        `except_for`: folder of the file that is to grow, which is not counted. The caller holds the owner's lock.
        """
        uploads = {path.parent: size for path, size in self._upload_files(owner)}
        with self.listed() as claims:
            growing = {claim.place(self.root): claim.bytes for claim in claims if claim.owner == owner}
        counted = uploads | {folder: size for folder, size in growing.items() if folder.exists()}
        return stored_bytes(self.root / owner) + sum(size for folder, size in counted.items() if folder != except_for)

    def promised_bytes(self, claims: list[Claim], *, except_for: Path) -> int:
        """Return the number of reserved bytes that are not written yet."""
        growing = [(claim.place(self.root), claim.bytes) for claim in claims]
        return sum(max(size - written_bytes(folder), 0) for folder, size in growing if folder != except_for and folder.exists())

    @contextmanager
    def locked(self, owner: str) -> Iterator[None]:
        """Hold the lock under which an owner's disk space is checked and reserved."""
        with self._lock(f"{LOCK}-{owner}"):
            yield

    @contextmanager
    def listed(self) -> Iterator[list[Claim]]:
        """Yield all reservations, and lock them during the `with` block.

        Those of dead processes are deleted.
        """
        with self._lock(LOCK):
            yield [claim for path in self._folder.iterdir() if is_id(path.name) and (claim := _live(path)) is not None]

    def create(self) -> tuple[Path, BinaryIO]:
        """Create and lock the file of a reservation. The caller holds the lock of the list."""
        path = self._folder / new_id()
        file = path.open("xb", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        return path, file

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / name).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _upload_files(self, owner: str) -> Iterator[tuple[Path, int]]:
        """Yield path and size of the received bytes of each unfinished upload.

        A file with a second name is being published: its medium or its reservation counts.
        """
        for path in (self.root.parent / UPLOADS / owner).glob(f"*/{UPLOAD_DATA}"):
            with suppress(FileNotFoundError):
                stat = path.stat()
                if stat.st_nlink == 1:
                    yield path, stat.st_size


class Reservation:
    """Disk space reserved for one growing file.

    All methods block on the disk. Nothing is reserved before the first `require`.
    """

    def __init__(self, room: Room, owner: str, folder: Path):
        self._room, self._owner, self._folder = room, owner, folder
        self._bytes = 0
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def require(self, size: int, *, at_most: int | None = None, is_written: bool = False) -> None:
        """Reserve disk space for the whole file, of at least `size` bytes.

        Check and reservation are one step. `at_most`: known bound of the file's size. Without it, some more bytes than `size` are reserved
        where they fit, so that not each block needs a check. `is_written`: the disk has the file already, so only the quota is checked.
        Raises QuotaExceeded, and Unavailable if the disk is too full.
        """
        room = self._room
        if size <= self._bytes or ((is_written or size <= SMALL_BYTES) and room.limit_of(self._owner) is None):
            return
        target = max(size, size + STEP_BYTES if at_most is None else min(size + STEP_BYTES, at_most))
        with room.locked(self._owner):
            if (limit := room.limit_of(self._owner)) is not None:
                used = room.used_bytes(self._owner, except_for=self._folder)
                if used + size > limit:
                    raise quota_exceeded(used, size, limit)
                target = min(target, limit - used)
            with room.listed() as claims:
                if not is_written:
                    promised = room.promised_bytes(claims, except_for=self._folder)
                    free = shutil.disk_usage(room.root).free - promised - room.keep_free_bytes + written_bytes(self._folder)
                    if size > free:
                        detail = f"The server's disk has too little room for this file of {size} bytes: delete media that are not needed"
                        raise Unavailable(f"{detail}, or try again later.")
                    target = min(target, free)
                self._write(target)

    def settle(self, size: int) -> None:
        """Lower the reservation to the size that the file has reached."""
        if self._file is not None and size < self._bytes:
            with self._room.locked(self._owner), self._room.listed():
                self._write(size)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Hold the owner's lock for the block, then end the reservation.

        For the step after which the bytes are counted as a medium.
        """
        with self._room.locked(self._owner) if self._file else nullcontext():
            yield
            self._delete()

    def end(self) -> None:
        """Release the reserved disk space. A second call does nothing."""
        if self._file is not None:
            with self._room.locked(self._owner):
                self._delete()

    def _write(self, size: int) -> None:
        if self._path is None or self._file is None:
            self._path, self._file = self._room.create()
        folder = os.path.relpath(self._folder, self._room.root)
        text = Claim(owner=self._owner, folder=folder, bytes=size).model_dump_json().encode()
        self._file.seek(0)
        self._file.write(text)
        self._file.truncate(len(text))
        self._bytes = size

    def _delete(self) -> None:
        if self._path is not None and self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()
            self._file, self._bytes = None, 0


def written_bytes(folder: Path) -> int:
    """Return the bytes of the files that grow in `folder`."""
    total = 0
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in islice(entries, MOST_FILES):
            with suppress(OSError):
                total += entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else 0
    return total


def quota_exceeded(used: int, more: int, limit: int) -> QuotaExceeded:
    """Return the error for a quota that `more` bytes exceed."""
    detail = f"{used} bytes are stored or on their way; {more} more would exceed the quota of {limit} bytes."
    return QuotaExceeded(f"{detail} Delete media that are not needed.")


def _live(path: Path) -> Claim | None:
    """Read a reservation. Delete it, and return None, if its process is dead."""
    try:
        with path.open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return Claim.model_validate_json(file.read())
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        pass
    return None
