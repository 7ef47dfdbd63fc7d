"""Index that finds an owner's listed media by the hash of their content.

    <folder>/<SHA-256>    ids of the media published with this content, one a line

A process locks a file before it changes or deletes the file, also where several machines share the folder.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from shared.media.disk import read_text, retried_if_stale


@dataclass(frozen=True)
class HashIndex:
    """One owner's index of media by hash, stored in a folder."""

    folder: Path

    def add(self, sha256: str, media_id: str) -> None:
        """Add a medium with the content `sha256`.

        No id is lost to processes that add to the same content at once, or sweep. The parent of the folder must exist.
        """
        self.folder.mkdir(exist_ok=True)
        with _locked(self.folder / sha256, "a") as file:
            file.write(f"\n{media_id}")  # in front, because files of earlier releases hold one id without a line break

    def ids(self, sha256: str) -> list[str]:
        """Return the ids of all media published with the content `sha256`, newest first."""
        try:
            return sorted(read_text(self.folder / sha256).split(), reverse=True)
        except FileNotFoundError:
            return []

    def sweep(self, exists: Callable[[str], bool]) -> None:
        """Delete the index files whose media no longer exist."""
        with suppress(FileNotFoundError):
            for path in list(self.folder.iterdir()):
                with suppress(FileNotFoundError), _locked(path, "r+") as file:
                    if not any(map(exists, file.read().split())):
                        path.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path, mode: str) -> Iterator[TextIO]:
    """Open a file of the index and hold its lock during the `with` block.

    If the file was deleted or replaced between its opening and its locking, it is opened again. Raises FileNotFoundError if it is missing
    and `mode` does not create it.
    """
    file = None
    while file is None:
        file = retried_if_stale(lambda: _opened(path, mode))
    with file:
        yield file


def _opened(path: Path, mode: str) -> TextIO | None:
    """Open a file and lock it.

    Returns None if the file was replaced meanwhile.
    """
    with ExitStack() as stack:
        file = stack.enter_context(open(path, mode, encoding="ascii"))
        fcntl.flock(file, fcntl.LOCK_EX)
        # Not the number of links: NFS only renames a deleted file that is open on the same machine.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                stack.pop_all()
                return cast(TextIO, file)
    return None
