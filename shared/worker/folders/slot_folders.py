"""Folders of worker processes: each process sees only the folder of its slot.

    <data folder>/slots/<server process>/<number>/in, out, tmp

A server process holds a lock on the file `lock` of its folder, so that others can delete the folders of dead processes.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import time
from pathlib import Path

from shared.errors import WorkerCrashed
from shared.media.ids import new_id
from shared.media.partial_name import partial_path
from shared.worker.folders.deletion import delete_tree

SLOTS, LOCK = "slots", "lock"
STALE_S = 3600.0
"""Age of a free lock from which its process counts as dead. File systems of several machines do not always share locks."""


class SlotFolders:
    """The folders of all slots of this server process."""

    def __init__(self, data_dir: Path):
        self._root = data_dir.absolute() / SLOTS / new_id()
        self._count = 0
        self._lock: int | None = None

    def new(self) -> Path:
        """Return the path of a new slot's folder, which does not exist yet."""
        self._count += 1
        return self._root / str(self._count)

    def hold(self) -> None:
        """Create and lock this process's folder, or renew its modification time."""
        if self._lock is None:
            self._root.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            self._root.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self._root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.utime(self._lock)

    def close(self) -> None:
        """Delete all folders, after all worker processes have ended."""
        delete_tree(self._root)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep_slots(data_dir: Path, *, stale_s: float = STALE_S) -> int:
    """Delete the slot folders of dead processes; return their number."""
    count = 0
    for folder in (data_dir.absolute() / SLOTS).glob("*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(file.fileno()).st_mtime >= stale_s:
                delete_tree(folder)
                count += 1
    return count


def place(source: Path, folder: Path, name: str) -> Path:
    """Link or copy a file into a slot's folder.

    Returns the new path. A symbolic link would point outside of the folder.
    """
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        try:
            os.link(source, target)
        except OSError:  # a file system without hard links, or another owner's file
            shutil.copyfile(source, target)
    return target


def take(source: Path, target: Path) -> None:
    """Move a file that a child process wrote to `target`.

    The file is examined after the move, where the child cannot exchange it. Raises WorkerCrashed unless it is a regular file with one name.
    """
    partial = partial_path(target)
    try:
        try:
            os.rename(source, partial)  # a link is moved, not followed
        except FileNotFoundError:
            raise WorkerCrashed(f"The worker process wrote no {target.name!r}.") from None
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy_out(source, partial, target.name)
        _require_file(partial.lstat(), target.name)
        os.replace(partial, target)
    finally:
        delete_tree(partial)


def _copy_out(source: Path, target: Path, name: str) -> None:
    """Copy a file to another volume; a link is not followed.

    `name`: as the error calls the file.
    """
    with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as reading, target.open("xb") as writing:
        _require_file(os.fstat(reading.fileno()), name)
        shutil.copyfileobj(reading, writing)


def _require_file(about: os.stat_result, name: str) -> None:
    """Raise WorkerCrashed unless `about` describes a regular file with one name."""
    if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
        raise WorkerCrashed(f"The worker process wrote something else than a file for {name!r}.")
