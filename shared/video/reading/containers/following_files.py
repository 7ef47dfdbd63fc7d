"""Detection of files that were joined behind the end of a first file.

Files that were joined byte by byte hold several headers. FFmpeg reads on behind some of them; others end the readable part.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

from shared.video.reading.containers import asf, avi, matroska, mp4, mpegts, mxf, png, webp
from shared.video.reading.containers.beginnings import EBML, Beginnings, demuxer_at
from shared.video.reading.containers.flv_parts import flv_parts

_MOST_FILES = 5_000


@dataclass(frozen=True, slots=True)
class _Container:
    """Functions that find where a file of one container ends, and its track formats.

    `end`: returns the byte offset at which the file that begins at an offset ends, or None. `coding`: describes the tracks of that file;
    files of equal coding are read on. None for containers of which FFmpeg reads one file only. `last`: returns the byte offset of the
    file's last element, behind which the next file begins if the end is missing. `one_by_one`: FFmpeg opens each of the files by itself.
    """

    end: Callable[[BinaryIO, int], int | None]
    coding: Callable[[BinaryIO, int], Any] | None = None
    last: Callable[[BinaryIO, int], int] | None = None
    one_by_one: bool = False


_CONTAINERS: Mapping[str, _Container] = {
    "matroska": _Container(matroska.end, matroska.coding, matroska.last_element, one_by_one=True),
    "avi": _Container(avi.end, avi.coding),
    "mov": _Container(mp4.end, mp4.coding, mp4.last_box, one_by_one=True),
    "asf": _Container(asf.end),
    "mxf": _Container(mxf.end),
    "mpegts": _Container(mpegts.end, mpegts.coding, one_by_one=True),
    "apng": _Container(png.end),
    "webp": _Container(webp.end),
}


@dataclass(frozen=True, slots=True)
class FilePart:
    """Byte range of one file in a joined file.

    `cut`: whether its end is missing.
    """

    begin: int
    end: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class FollowingFiles:
    """Byte offsets at which further files begin in a joined file.

    `read`: offsets of the files that are read as a continuation of the first. `unread`: offset of the first file that is not read, because
    of its container or because FFmpeg stops before it; None without one. `parts`: ranges of the MP4, Matroska and MPEG-TS files that are
    opened one by one; empty for a single file. Files of these containers that are not read either: `lost`, ranges of files without an
    index; `others`, ranges of files in another coding than the first.
    """

    read: tuple[int, ...] = ()
    unread: int | None = None
    parts: tuple[FilePart, ...] = ()
    lost: tuple[FilePart, ...] = ()
    others: tuple[FilePart, ...] = ()

    @property
    def one_by_one(self) -> bool:
        """Whether the files in the joined file are opened one after the other."""
        return bool(self.read and self.parts)


def following_files(path: str | os.PathLike[str], demuxer: str) -> FollowingFiles:
    """Find the byte offsets at which further files begin in a joined file.

    `demuxer`: FFmpeg's name of the container, or "webp". Ogg, MPEG program streams and GIF files are always read to their end.
    """
    name = demuxer.partition(",")[0]
    if name == "flv":
        parts = flv_parts(path)
        return FollowingFiles(tuple(begin for begin, _ in parts.ranges[1:]), parts.unread)
    if name not in _CONTAINERS:
        return FollowingFiles()
    status = os.stat(path)
    return _following(os.path.abspath(path), status.st_size, status.st_mtime_ns, name)


@lru_cache(maxsize=64)
def _following(path: str, size: int, _mtime_ns: int, name: str) -> FollowingFiles:
    container = _CONTAINERS[name]
    parts: list[FilePart] = []
    lost: list[FilePart] = []
    others: list[FilePart] = []
    unread: int | None = None
    first = None
    with open(path, "rb") as file:
        if demuxer_at(file, 0) != name:
            return FollowingFiles()  # such as packets of MPEG-TS that do not begin at the file's first byte
        for part, demuxer in _parts(file, size, name):
            if len(parts) + len(lost) + len(others) >= _MOST_FILES:
                unread = part.begin
                break
            coding = container.coding(file, part.begin) if container.coding and demuxer == name else None
            if coding is None and part.cut and container.last is not None and demuxer == name:
                lost.append(part)
                continue
            first = coding if first is None and not parts else first
            if (parts or demuxer != name) and (coding is None or coding != first):
                if not container.one_by_one or demuxer != name:
                    unread = part.begin
                    break
                others.append(part)
                continue
            parts.append(part)
    if not parts or (len(parts) == 1 and (parts[0].begin, parts[0].end) == (0, size)):
        return FollowingFiles()
    read = tuple(part.begin for part in parts if part.begin)
    if not container.one_by_one:
        return FollowingFiles(read, unread)
    return FollowingFiles(read, unread, tuple(parts), tuple(lost), tuple(others))


def _parts(file: BinaryIO, size: int, name: str) -> Iterator[tuple[FilePart, str]]:
    """Yield byte range and container of each file in a joined file.

    The last one may have another container than `name`, that of the first file: the search ends there.
    """
    begin, demuxer = 0, name
    searches = {kind: Beginnings(file, magic, back) for kind, magic, back in _SEARCHED}
    while demuxer == name and (following := _next(file, begin, size, name, searches)) is not None:
        end, demuxer, cut = following
        yield FilePart(begin, end, cut), name
        begin = end
    yield FilePart(begin, size, demuxer == name and _cut_off(file, begin, size, name)), demuxer


def _next(file: BinaryIO, begin: int, size: int, name: str, searches: Mapping[str, Beginnings]) -> tuple[int, str, bool] | None:
    """Find the file that follows the file at `begin`.

    Return where it begins, its container, and whether the end of the one before is missing; None if none follows. `searches`: for
    beginnings of files, by container; they go on where they ended.
    """
    container = _CONTAINERS[name]
    end = container.end(file, begin)
    if end is not None and begin < end < size and (demuxer := demuxer_at(file, end)) is not None:
        return end, demuxer, False
    if container.last is None or end == size:
        return None
    last = max(container.last(file, begin), begin + 4)
    places = [(at, kind) for kind, search in searches.items() if (at := search.next(last)) is not None]
    return (*min(places), True) if places else None


_SEARCHED = (("mov", b"ftyp", 4), ("matroska", EBML, 0))
"""Container, bytes that identify it, and their offset in the file."""


def _cut_off(file: BinaryIO, begin: int, size: int, name: str) -> bool:
    """Return whether the last of the joined files, if Matroska or MP4, is truncated."""
    end = _CONTAINERS[name].end(file, begin) if _CONTAINERS[name].last is not None else None
    return end is not None and end > size
