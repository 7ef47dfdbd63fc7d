"""Folders of worker processes: each process sees only the folder of its slot.

    <data folder>/slots/<server process>/<number>/in, out, tmp

A server process holds a lock on the file `lock` of its folder, so that others can delete the folders of dead processes.
"""

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path

from shared.media.ids import new_id
from shared.worker.folders.deletion import delete_tree
from shared.worker.sandbox.plan import Sandbox

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


def make_folders(sandbox: Sandbox) -> None:
    """Create the folders of a new child process.

    Deletes its predecessor's temporary files; the inputs stay.
    """
    delete_tree(sandbox.temporary)
    for folder in (sandbox.inputs, sandbox.outputs, sandbox.temporary):
        folder.mkdir(parents=True, exist_ok=True)


def empty_folders(sandbox: Sandbox, *, within_s: float, temporary: bool) -> bool:
    """Delete the inputs and outputs of a call.

    Returns whether none is left after `within_s` seconds. `temporary`: also the temporary files.
    """
    deadline, folders = time.monotonic() + within_s, (sandbox.inputs, sandbox.outputs, *((sandbox.temporary,) if temporary else ()))
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            delete_tree(path, within_s=deadline - time.monotonic())
    return not any(any(folder.iterdir()) for folder in folders)


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
