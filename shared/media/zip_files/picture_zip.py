"""Zip files of pictures, written by operations or uploaded.

Needs no imaging library.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import IO

from shared.errors import BrokenMedia, NotFound, TooLarge, UnsupportedMedia
from shared.media.names import safe_name
from shared.media.types import HEAD_BYTES, IMAGES, FileType, picture_type
from shared.media.zip_files.entry_names import decoded_names, plain_name
from shared.media.zip_files.writer import ZipWriter

MOST_ENTRIES = 10_000
MOST_PICTURE_BYTES = 256 * 1024**2
MOST_LIST_BYTES = 8 * 1024**2
"""Size limit in bytes of a zip file's directory, which is read whole. An entry takes about a hundred bytes."""

_CHUNK_BYTES = 256 * 1024
_NAMED = 10
"""Maximum number of files that a message names."""
_SYSTEM_FILES = ("thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r")
_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, OverflowError, EOFError, ValueError, OSError)


class PictureZip(ZipWriter):
    """A writer of a zip file that holds picture files.

    The zip file holds at most as many pictures as reading accepts.
    """

    def __init__(self, path: str | os.PathLike[str]):
        # Picture files are compressed already, and stored entries can be read from any offset.
        super().__init__(path, packed=False)

    def add(self, name: str, data: bytes | str) -> None:
        """Add the picture file `data` as `name`, which may contain folders.

        Raises ValueError for a name that exists, TooLarge for more than MOST_ENTRIES pictures.
        """
        if len(self.names) >= MOST_ENTRIES:
            raise TooLarge(f"A zip file holds at most {MOST_ENTRIES} pictures: choose fewer, or divide them into several jobs.")
        super().add(name, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZippedPicture:
    """A picture in a zip file.

    `name`: unique in the zip file, with `/` between folders.
    """

    name: str
    kind: FileType
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipContents:
    """The pictures and other files in a zip file.

    `pictures`: sorted by name. `others`: names of the files that are no pictures. Files that packing programs add are in neither.
    """

    pictures: tuple[ZippedPicture, ...]
    others: tuple[str, ...]

    def warning(self, zip_name: str) -> str | None:
        """Return a warning that names the files that are no pictures.

        None if all files are pictures.
        """
        if not self.others:
            return None
        count = len(self.others)
        names = ", ".join(repr(name[:100]) for name in self.others[:_NAMED])
        more = f" and {count - _NAMED} more" if count > _NAMED else ""
        verb, reason = ("file was", "it is not a picture") if count == 1 else ("files were", "they are not pictures")
        return f"{count} {verb} left out of {zip_name!r}, because {reason} in a supported format: {names}{more}."


def zip_contents(path: str | os.PathLike[str], max_bytes: int) -> ZipContents:
    """List the files in a zip file.

    Pictures are recognised by their first bytes. Raises UnsupportedMedia (no picture, or encrypted), BrokenMedia or TooLarge (too many
    files, or pictures of more than `max_bytes` once unpacked).
    """
    pictures, others = list[ZippedPicture](), list[str]()
    try:
        with _opened(path) as archive:
            if len(archive.infolist()) > MOST_ENTRIES:
                raise TooLarge(
                    f"The zip file holds {len(archive.infolist())} files; at most {MOST_ENTRIES} are allowed. "
                    "Divide it into several zip files."
                )
            files, unusable = _named_files(archive)
            others += unusable
            for name, entry in files.items():
                if (kind := _kind_of(archive, entry, name)) is None:
                    others.append(name)
                else:
                    pictures.append(ZippedPicture(name=name, kind=kind, size=entry.file_size))
    except _ERRORS as error:
        raise BrokenMedia(f"{Path(path).name!r} cannot be read as a zip file ({error}). Pack or upload it again.") from error
    if not pictures:
        kinds = ", ".join(sorted(kind.suffix for kind in IMAGES.values()))
        unused_names = f" It holds {', '.join(repr(name[:100]) for name in others[:_NAMED])}." if others else ""
        raise UnsupportedMedia(f"{Path(path).name!r} is a zip file that contains no picture in a supported format ({kinds}).{unused_names}")
    if (unpacked := sum(picture.size for picture in pictures)) > max_bytes:
        raise TooLarge(
            f"The pictures in the zip file have {unpacked} bytes when unpacked; at most {max_bytes} are allowed. "
            "Divide it into several zip files."
        )
    return ZipContents(pictures=tuple(sorted(pictures, key=attrgetter("name"))), others=tuple(sorted(others)))


@contextmanager
def open_picture(path: str | os.PathLike[str], name: str) -> Iterator[tuple[FileType, IO[bytes]]]:
    """Open a picture in a zip file; yield its type and content.

    The content is a readable file object. Raises NotFound if the zip file has no picture of that name.
    """
    try:
        with _opened(path) as archive:
            entry = _named_files(archive)[0].get(name)
            kind = None if entry is None else _kind_of(archive, entry, name)
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


class _LimitedReads(io.FileIO):
    """A file that refuses to read too much at once.

    zipfile reads a directory of any length that the file claims.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_LIST_BYTES:
            raise TooLarge(
                f"The directory of the zip file has {size} bytes; at most {MOST_LIST_BYTES} are accepted. "
                "Pack fewer pictures into one file, with shorter names and without comments."
            )
        return super().read(size)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    with _LimitedReads(path) as file, zipfile.ZipFile(file) as archive:
        yield archive


def _named_files(archive: zipfile.ZipFile) -> tuple[dict[str, zipfile.ZipInfo], list[str]]:
    """Map plain names to the entries of a zip file, and list unusable names.

    The plain names are unique. Both exclude folders, and files that archivers and operating systems add. Of several files
    with the same name, the last counts.
    """
    entries = list(archive.NameToInfo.values())
    files, unusable = dict[str, zipfile.ZipInfo](), list[str]()
    for entry, text in zip(entries, decoded_names(entries), strict=True):
        if entry.is_dir() or _is_extra(text):
            continue
        name = plain_name(text)
        if name is None or stat.S_ISLNK(entry.external_attr >> 16):
            unusable.append(safe_name(text))
            continue
        stem, dot, suffix = name.rpartition(".")
        number, unique = 2, name
        while unique in files:
            unique, number = f"{stem or suffix}-{number}{dot}{suffix if stem else ''}", number + 1
        files[unique] = entry
    return files, unusable


def _is_extra(name: str) -> bool:
    """Return whether an operating system or archiver adds entries of this name.

    Hidden files count as such.
    """
    parts = name.replace("\\", "/").split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    return hidden or parts[0] == "__MACOSX" or parts[-1].lower() in _SYSTEM_FILES


def _kind_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> FileType | None:
    """Return the picture type of an entry.

    None if it is no picture.
    """
    if entry.flag_bits & 1:
        raise UnsupportedMedia("The zip file is encrypted. Pack it without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsupportedMedia("The zip file uses an unsupported compression method. Pack it with the method Deflate or Store.")
    with archive.open(entry) as file:
        kind = picture_type(file.read(HEAD_BYTES))
    if kind is not None and entry.file_size > MOST_PICTURE_BYTES:
        raise TooLarge(f"{name!r} has {entry.file_size} bytes; a picture in a zip file may have at most {MOST_PICTURE_BYTES}.")
    return kind
