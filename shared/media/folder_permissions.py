"""Permissions that hide the data folder from other users."""

import logging
import os
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
PRIVATE = ("jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm")
log = logging.getLogger(__name__)


def close_files(data_dir: Path) -> None:
    """Remove other users' permissions on the data folder and the database.

    A folder of another owner, such as a mounted one, stays unchanged.
    """
    folder = data_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    with suppress(PermissionError):
        if folder.stat().st_mode & 0o077 and folder.stat().st_uid == os.getuid():
            folder.chmod(FOLDER)
            log.info("the data folder is closed to other users of this machine")
    for name in PRIVATE:
        with suppress(FileNotFoundError, PermissionError):
            folder.joinpath(name).chmod(FILE)
