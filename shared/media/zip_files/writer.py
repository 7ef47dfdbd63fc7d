"""Writing of zip files, atomically and reproducibly."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from shared.media.partial_name import partial_path

_BLOCK_BYTES = 1 << 20


class ZipWriter:
    """A writer of a zip file.

    The file gets its name only after the `with` block has ended without an error; otherwise no file is left. Entries have no times, so that
    equal content gives equal files. `packed`: compress the entries; pictures are compressed already.
    """

    def __init__(self, path: str | os.PathLike[str], *, packed: bool):
        self._path = Path(path)
        self._partial = partial_path(self._path)
        self._how = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        self._zip = zipfile.ZipFile(self._partial, "w", self._how)
        self.names: set[str] = set()
        """Names of the entries written so far."""

    def add(self, name: str, data: bytes | str) -> None:
        """Add a file with the content `data`; text is encoded as UTF-8.

        Raises ValueError for a name that exists.
        """
        with self.entry(name) as file:
            file.write(data.encode() if isinstance(data, str) else data)

    @contextmanager
    def entry(self, name: str) -> Iterator[IO[bytes]]:
        """Open a new entry for writing in pieces.

        Raises ValueError for a name that exists.
        """
        if name in self.names:
            raise ValueError(f"there is a file {name!r} already")
        self.names.add(name)
        info = zipfile.ZipInfo(name)
        info.compress_type = self._how
        with self._zip.open(info, "w") as file:
            yield file

    def add_folder(self, folder: Path) -> None:
        """Add every file below a folder, sorted by path.

        Entries are named relative to the folder.
        """
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as source, self.entry(path.relative_to(folder).as_posix()) as target:
                    shutil.copyfileobj(source, target, _BLOCK_BYTES)

    def close(self) -> None:
        """Complete the file and rename it into place."""
        try:
            self._zip.close()
            os.replace(self._partial, self._path)
        finally:
            self.discard()

    def discard(self) -> None:
        """Delete the temporary file of an unfinished zip file."""
        try:
            self._zip.close()
        finally:
            self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            self.discard()
