"""The key file `keys.json`, which stores the records of API keys.

The file has mode 0600.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from shared.keys.record import KeyRecord
from shared.media.disk import write_atomically
from shared.settings import KEY_FILE

LOCK = "keys.lock"


class Keys(BaseModel):
    """The contents of the key file."""

    keys: tuple[KeyRecord, ...] = ()


class KeyFile:
    """Reader and writer of an installation's key file."""

    def __init__(self, data_dir: Path):
        self.path = data_dir.absolute() / KEY_FILE

    def read(self) -> tuple[KeyRecord, ...]:
        """Return the records of all keys, including revoked keys.

        Raises OSError or ValidationError for an unreadable file.
        """
        try:
            return Keys.model_validate_json(self.path.read_bytes()).keys
        except FileNotFoundError:
            return ()

    def state(self) -> tuple[int, int, int] | None:
        """Return a value that differs after each write; None without a file."""
        try:
            about = self.path.stat()
        except FileNotFoundError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino

    def change(self, change: Callable[[tuple[KeyRecord, ...]], tuple[KeyRecord, ...]]) -> None:
        """Replace the records by the result of `change`, under a lock."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.path.with_name(LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            changed = Keys(keys=change(self.read()))
            write_atomically(self.path, changed.model_dump_json(indent=1) + "\n", mode=0o600)
        finally:
            os.close(lock)
