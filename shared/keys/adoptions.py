"""The file `adoptions.jsonl`, which lists transfers of media and jobs to API keys.

`reelwright keys adopt` writes it; servers read it for the audit log. The file has mode 0600.
"""

import os
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

FILE = "adoptions.jsonl"


class Adoption(BaseModel):
    """A transfer of media and jobs to a key."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    key_id: str
    name: str
    source: str
    jobs: int
    media: int


class AdoptionFile:
    """Writer and reader of an installation's adoptions.

    A reader starts at the end of the file: earlier adoptions are not read.
    """

    def __init__(self, data_dir: Path):
        self.path = data_dir.absolute() / FILE
        self._read_bytes = self._size()

    def add(self, adoption: Adoption) -> None:
        """Append an adoption."""
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, adoption.model_dump_json().encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def read_new(self) -> list[Adoption]:
        """Return the adoptions since the last call."""
        size = self._size()
        if size <= self._read_bytes:
            self._read_bytes = size  # smaller after a restored backup
            return []
        with self.path.open("rb") as file:
            file.seek(self._read_bytes)
            text = file.read()
        complete = text[: text.rfind(b"\n") + 1]
        self._read_bytes += len(complete)
        return [Adoption.model_validate_json(line) for line in complete.splitlines()]

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0
