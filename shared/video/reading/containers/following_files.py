"""Detection of files that were joined behind the end of a first file.

Files that were joined byte by byte hold several headers. FFmpeg reads on behind some of them; others end the readable part.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

from shared.video.reading.containers import asf, avi, matroska, mp4, mpegts, mxf, png, webp
from shared.video.reading.containers.beginnings import demuxer_at
from shared.video.reading.containers.flv_parts import flv_parts


@dataclass(frozen=True, slots=True)
class _Container:
    """Functions that find the end and the track formats of a container's files.

    `end`: returns the byte offset at which the file that begins at an offset ends, or None. `coding`: describes the tracks of that file;
    files of equal coding are read on. None for containers of which FFmpeg reads one file only. `most`: number of files that FFmpeg reads.
    """

    end: Callable[[BinaryIO, int], int | None]
    coding: Callable[[BinaryIO, int], Any] | None = None
    most: int = 5_000


_CONTAINERS: Mapping[str, _Container] = {
    "matroska": _Container(matroska.end, matroska.coding, most=2),
    "avi": _Container(avi.end, avi.coding),
    "mov": _Container(mp4.end, mp4.coding),
    "asf": _Container(asf.end),
    "mxf": _Container(mxf.end),
    "mpegts": _Container(mpegts.end),
    "apng": _Container(png.end),
    "webp": _Container(webp.end),
}


@dataclass(frozen=True, slots=True)
class FollowingFiles:
    """Byte offsets at which further files begin in a joined file.

    `read`: those that FFmpeg reads as a continuation of the first. `unread`: the first of those that it does not read, or None.
    """

    read: tuple[int, ...] = ()
    unread: int | None = None


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
    read: list[int] = []
    with open(path, "rb") as file:
        first = None
        for begin, demuxer in _begins(file, size, name):
            first = container.coding(file, 0) if container.coding and first is None else first
            same = demuxer == name and container.coding is not None and first == container.coding(file, begin) is not None
            if not same or len(read) + 2 > container.most:
                return FollowingFiles(tuple(read), begin)
            read.append(begin)
    return FollowingFiles(tuple(read))


def _begins(file: BinaryIO, size: int, name: str) -> Iterator[tuple[int, str]]:
    """Yield byte offset and container of each further file.

    The last one may have another container than `name`, that of the first file: the search ends there.
    """
    begin = 0
    while (end := _CONTAINERS[name].end(file, begin)) is not None and begin < end < size:
        demuxer = demuxer_at(file, end)
        if demuxer is None:
            return
        yield end, demuxer
        if demuxer != name:
            return
        begin = end
