"""Addresses under which FFmpeg opens local files, or their usable parts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.video.reading.containers.beginnings import demuxer_of
from shared.video.reading.containers.flv_parts import flv_parts
from shared.video.reading.containers.following_files import FilePart, following_files
from shared.video.reading.containers.truncation import end_of_fragments, usable_end
from shared.video.reading.file_copies import kept_copy


@dataclass(frozen=True, slots=True)
class Address:
    """An address for FFmpeg, and the protocols that it needs.

    `one_by_one`: whether the address is that of one file in a joined file. `cut`: whether the end of that file is missing.
    """

    url: str
    protocols: str = "file"
    one_by_one: bool = False
    cut: bool = False


@contextmanager
def addresses(path: str | os.PathLike[str], head: bytes) -> Iterator[tuple[Address, ...]]:
    """Yield FFmpeg's addresses of the files, or usable parts, in a local file.

    Most files have one; the addresses of several are opened one after the other. FFmpeg gets no further file that is not read, and FLV
    files without the headers inside them. `head`: the file's first bytes.
    """
    if demuxer_of(head) != "flv":
        yield _addresses(path, head)
        return
    ranges = flv_parts(path).ranges
    if len(ranges) == 1:
        whole = ranges[0] == (0, os.stat(path).st_size)
        yield (Address(_file(path)) if whole else Address(_part(path, *ranges[0]), "file,subfile"),)
        return

    def write(listed: Path) -> None:
        listed.write_bytes(b"".join(os.fsencode(f"{_quoted(_part(path, *part))}\n") for part in ranges))

    with kept_copy(path, ".txt", write) as listed:
        yield (Address(f"concatf:{_file(listed)}", "file,subfile,concatf"),)


def _addresses(path: str | os.PathLike[str], head: bytes) -> tuple[Address, ...]:
    """Return the addresses of a file in another container than FLV."""
    demuxer = demuxer_of(head)
    if demuxer is None or demuxer == "webp":
        return (Address(_file(path)),)
    following = following_files(path, demuxer)
    if following.one_by_one:
        return tuple(_address(path, part) for part in following.parts)
    end = following.parts[0].end if following.parts else following.unread
    return (Address(_file(path)) if end is None else Address(_part(path, 0, end), "file,subfile"),)


def _quoted(text: str) -> str:
    """Quote an address for FFmpeg's list of addresses."""
    return "'" + text.replace("'", "'\\''") + "'"


def _address(path: str | os.PathLike[str], part: FilePart) -> Address:
    """Return the address of one file in a joined file.

    It reaches to the end that FFmpeg can open.
    """
    end = usable_end(path, part.begin, part.end) if part.cut else None
    return Address(_part(path, part.begin, part.end if end is None else end), "file,subfile", one_by_one=True, cut=part.cut)


def whole_fragments(path: str | os.PathLike[str], head: bytes) -> Address | None:
    """Return the address of an MP4 file's complete boxes, or None.

    None unless the file is cut off within a fragment's header, or right behind it: FFmpeg refuses to open such a file. `head`: the file's
    first bytes.
    """
    end = end_of_fragments(path) if head[4:8] == b"ftyp" else None
    return None if end is None or end >= os.stat(path).st_size else Address(_part(path, 0, end), "file,subfile")


def _file(path: str | os.PathLike[str]) -> str:
    return "file:" + os.path.abspath(path)


def _part(path: str | os.PathLike[str], begin: int, end: int) -> str:
    return f"subfile,,start,{begin},end,{end},,:{_file(path)}"
