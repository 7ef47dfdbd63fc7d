"""Temporary folders of operations run from the command line.

The next run removes those of a killed run.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_UNLOCKED, _LOCKED, _SUFFIX = ".new-reelwright-", ".reelwright-", ".part"


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a hidden temporary folder in `parent`, and delete it afterwards.

    `parent` is by default the system's folder for temporary files. The process holds a lock on the folder, which ends with the process: the
    next folder made in `parent` removes those without a lock.
    """
    place = parent or Path(tempfile.gettempdir())
    _remove_abandoned(place)
    # The lock is taken under another name, so that no other process finds the folder without it.
    new = Path(tempfile.mkdtemp(prefix=_UNLOCKED, suffix=_SUFFIX, dir=place))
    handle = os.open(new, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks: there, folders of killed runs stay
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = new.rename(new.with_name(new.name.replace(_UNLOCKED, _LOCKED)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


@contextmanager
def temporary_files() -> Iterator[None]:
    """Redirect Python's temporary files to a new `temporary_folder` during a `with` block."""
    before = tempfile.tempdir
    with temporary_folder() as folder:
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


def _remove_abandoned(place: Path) -> None:
    """Delete temporary folders in `place` that killed processes left behind."""
    for folder in place.glob(f"{_LOCKED}*{_SUFFIX}"):
        with suppress(OSError):  # BlockingIOError: its process lives
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
