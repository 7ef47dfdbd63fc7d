"""Zip files of pictures, written by operations or uploaded.

Needs no imaging library.
"""

import io
import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from shared.errors import BrokenMedia, NotFound, TooLarge, UnsupportedMedia
from shared.media.names import safe_name
from shared.media.types import IMAGES, FileType, picture_type
from shared.media.zip_writer import ZipWriter

MOST_ENTRIES = 10_000
MOST_PICTURE_BYTES = 256 * 1024**2
MOST_LIST_BYTES = 8 * 1024**2
"""Size limit in bytes of a zip file's directory, which is read whole. An entry takes about a hundred bytes."""

_CHUNK_BYTES = 256 * 1024
_HEAD_BYTES = 32
_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, OverflowError, EOFError, ValueError, OSError)


class PictureZip(ZipWriter):
    """A writer of a zip file of picture files.

    It takes at most as many pictures as reading accepts.
    """

    def __init__(self, path: str | os.PathLike[str]):
        # Picture files are compressed already, and stored entries can be read from any offset.
        super().__init__(path, packed=False)

    def add(self, name: str, data: bytes | str) -> None:
        """Add the picture file `data` under `name`, which may name folders.

        Raises ValueError for a name that exists, TooLarge for more than MOST_ENTRIES pictures.
        """
        if len(self.names) >= MOST_ENTRIES:
            raise TooLarge(f"A zip file holds at most {MOST_ENTRIES} pictures: choose fewer, or divide them into several jobs.")
        super().add(name, data)


def picture_entries(path: str | os.PathLike[str], max_bytes: int) -> list[tuple[zipfile.ZipInfo, FileType]]:
    """List the pictures in a zip file, sorted by name.

    Pictures are recognised by their first bytes; other files are skipped. Raises UnsupportedMedia (none, or encrypted), BrokenMedia or
    TooLarge (too many, or more than `max_bytes` once unpacked).
    """
    pictures: dict[str, tuple[zipfile.ZipInfo, FileType]] = {}
    try:
        with _opened(path) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_ENTRIES:
                raise TooLarge(f"The zip file holds {len(listed)} files; at most {MOST_ENTRIES} are taken. Send several.")
            for entry in archive.NameToInfo.values():  # the last of equal names, as in `open_picture`
                if _may_be_picture(entry) and (kind := _kind_of(archive, entry)) is not None:
                    pictures[entry.filename] = (entry, kind)
    except _ERRORS as error:
        raise BrokenMedia(f"{Path(path).name!r} cannot be read as a zip file ({error}). Pack or upload it again.") from error
    if not pictures:
        kinds = ", ".join(sorted(kind.suffix for kind in IMAGES.values()))
        raise UnsupportedMedia(f"{Path(path).name!r} is a zip file without a picture in it ({kinds}).")
    if (unpacked := sum(entry.file_size for entry, _ in pictures.values())) > max_bytes:
        raise TooLarge(f"The pictures in the zip file have {unpacked} bytes; at most {max_bytes} are taken.")
    return [pictures[name] for name in sorted(pictures)]


@contextmanager
def open_picture(path: str | os.PathLike[str], name: str) -> Iterator[tuple[FileType, IO[bytes]]]:
    """Open a picture of a zip file; yield it and its type.

    The type comes first. Raises NotFound if the zip file has no picture of that name.
    """
    try:
        with _opened(path) as archive:
            entry = archive.NameToInfo.get(name)
            kind = _kind_of(archive, entry) if entry is not None and _may_be_picture(entry) else None
            if entry is None or kind is None:
                raise NotFound(f"The zip file holds no picture {name[:200]!r}.")
            with archive.open(entry) as file:
                yield kind, file
    except _ERRORS as error:
        raise BrokenMedia(f"The picture {name[:200]!r} is damaged ({error}). Pack or upload it again.") from error


def read_chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the rest of a file in chunks."""
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


class _InPieces(io.FileIO):
    """A file that refuses huge reads.

    zipfile reads a directory of any length that the file claims.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_LIST_BYTES:
            raise TooLarge(
                f"The directory of the zip file has {size} bytes; at most {MOST_LIST_BYTES} are accepted. "
                "Pack fewer pictures into one, under shorter names and without comments."
            )
        return super().read(size)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    with _InPieces(path) as file, zipfile.ZipFile(file) as archive:
        yield archive


def _may_be_picture(entry: zipfile.ZipInfo) -> bool:
    """Check whether an entry may be a picture.

    It must be a plain file with a safe name, and no extra file of a packing program.
    """
    name = entry.filename
    # Compose accents, which some systems store as separate characters.
    parts = unicodedata.normalize("NFC", name).split("/")
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    plain = all(part and part == safe_name(part, default="") and not part.startswith(".") for part in parts)
    return plain and not entry.is_dir() and not is_link and parts[0] != "__MACOSX"


def _kind_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> FileType | None:
    """Return the picture type of an entry, or None."""
    if entry.flag_bits & 1:
        raise UnsupportedMedia("The zip file is encrypted. Pack it without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsupportedMedia("The zip file uses an unsupported compression. Pack it as an ordinary zip file.")
    with archive.open(entry) as file:
        kind = picture_type(file.read(_HEAD_BYTES))
    if kind is not None and entry.file_size > MOST_PICTURE_BYTES:
        raise TooLarge(f"{entry.filename!r} has {entry.file_size} bytes; a picture may have {MOST_PICTURE_BYTES}.")
    return kind
