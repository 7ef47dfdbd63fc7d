"""Detection of files that are shorter than their headers state."""

import os
import struct
from typing import Any

from shared.video.reading.containers import mxf
from shared.video.reading.containers.flv_parts import flv_parts
from shared.video.reading.containers.following_files import FollowingFiles, following_files
from shared.video.reading.containers.matroska import segment_end
from shared.video.reading.containers.mp4 import OUTER_BOXES

# Most boxes to walk through: a fragmented recording of 14 hours, with about two boxes a second.
_MOST_BOXES = 100_000


def is_truncated(path: str | os.PathLike[str], container: Any, head: bytes) -> bool:
    """Return whether the end of a file is missing.

    That happens after an interrupted upload or copy. MP4 and QuickTime: the index lists samples beyond the end, or a box is longer than the
    file. AVI: the outermost element is longer. FLV: the last tag of a finished file that was not joined is incomplete. Files that are read
    up to their end (MPEG-TS, Matroska) never count as truncated. Nor do joined files that are read one by one: warnings name those that
    are cut off. `head`: the file's first bytes.
    """
    name = container.format.name.partition(",")[0]
    following = following_files(path, name)
    if following.one_by_one:
        return False
    size = following.parts[0].end if following.parts else os.stat(path).st_size
    if name == "mov":
        if end_of_fragments(path) is not None:
            return False
        return any(_end_of_last(stream) > size for stream in container.streams) or _box_beyond(path, size)
    if name == "avi" and not is_unfinished_avi(path):
        return int.from_bytes(head[4:8], "little") + 8 > size
    if name == "flv":
        joined = len(flv_parts(path).ranges) > 1
        return _flv_states_length(head) and not joined and not flv_ends_well(path)
    return False


def is_cut_off_matroska(path: str | os.PathLike[str]) -> bool:
    """Return whether a Matroska file ends before its segment does.

    Its clusters up to there can be read, whether or not it has an index. Files in a joined file do not count.
    """
    return _stated_segment_end(path) > os.stat(path).st_size and following_files(path, "matroska") == FollowingFiles()


def ends_as_stated(path: str | os.PathLike[str]) -> bool:
    """Return whether a Matroska file ends with its segment, or states no segment length."""
    return _stated_segment_end(path) in (0, os.stat(path).st_size)


def _stated_segment_end(path: str | os.PathLike[str]) -> int:
    with open(path, "rb") as file:
        return segment_end(file.read(4096))


def is_cut_off_mxf(path: str | os.PathLike[str]) -> bool:
    """Return whether an MXF file ends before the footer that its header announces.

    All packets up to there can be read. Files in a joined file do not count.
    """
    with open(path, "rb") as file:
        footer = mxf.footer(file, 0)
    return footer is not None and footer >= os.stat(path).st_size and following_files(path, "mxf") == FollowingFiles()


def is_unfinished_avi(path: str | os.PathLike[str]) -> bool:
    """Return whether an AVI file was never finished: its header has placeholder lengths.

    A recorder that was killed, or that wrote into a pipe, never filled them in. All packets up to the end of the file can be read.
    """
    with open(path, "rb") as file:
        head = file.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"AVI " and head[4:8] in (bytes(4), b"\xff" * 4)


def end_of_fragments(path: str | os.PathLike[str]) -> int | None:
    """Return the usable length of a truncated fragmented MP4, in bytes, or None.

    It is counted from the start of the file; None for all other files, and for joined files that are read one by one.
    """
    following = following_files(path, "mov")
    if following.one_by_one:
        return None
    return usable_end(path, 0, following.parts[0].end if following.parts else os.stat(path).st_size)


def usable_end(path: str | os.PathLike[str], begin: int, size: int) -> int | None:
    """Return the usable end of a truncated fragmented MP4, or None.

    The end is a byte offset. It is None for other files. `begin`, `size`: byte offsets at which that MP4 file begins and ends. A fragment
    is a `moof` box, which lists the samples, and the `mdat` box that holds them (ISO/IEC 14496-12, 8.8.4). Whole samples of a fragment that
    is cut off count.
    """
    position, listed = begin, False
    pending: int | None = None
    with open(path, "rb") as file:
        for _ in range(_MOST_BOXES):
            file.seek(position)
            header = file.read(16)
            if not header or position >= size:
                return pending
            kind, length = header[4:8], int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if len(header) < 8 or position + length > size:
                if len(kind) == 4 and kind not in OUTER_BOXES:
                    return None
                return (size if kind == b"mdat" else position) if listed else None
            if length < 8:
                return None
            # Samples that a `moof` box at the very end lists are missing.
            pending = position if listed and kind == b"moof" else None
            listed = listed or kind == b"moof"
            position += length
    return None


def _end_of_last(stream: Any) -> int:
    entries = stream.index_entries
    if not len(entries):
        return 0
    last = entries[len(entries) - 1]
    return int(last.pos + last.size)


def _box_beyond(path: str | os.PathLike[str], size: int) -> bool:
    """Return whether a top-level box extends beyond the end of the file.

    Boxes: ISO/IEC 14496-12, 4.2.
    """
    position = 0
    with open(path, "rb") as file:
        for _ in range(_MOST_BOXES):
            file.seek(position)
            header = file.read(16)
            if len(header) < 8:
                return False
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length < 8:
                return False
            position += length
            if position >= size:
                return position > size and header[4:8] in OUTER_BOXES
    return False


def _flv_states_length(head: bytes) -> bool:
    """Return whether an FLV file's metadata states the duration, as in finished files.

    `head`: the file's first bytes. Source: FLV specification, E.5.
    """
    place = head.find(b"duration\0")
    value = head[place + 9 : place + 17]
    return place > 0 and len(value) == 8 and struct.unpack(">d", value)[0] > 0


def flv_ends_well(path: str | os.PathLike[str]) -> bool:
    """Return whether an FLV file ends with a complete tag.

    A header behind the last tag does not count. The size stored after the last tag must lead to the start of a tag of that size (FLV
    specification, E.3).
    """
    size = flv_parts(path).ranges[-1][1]
    with open(path, "rb") as file:
        file.seek(max(size - 4, 0))
        length = int.from_bytes(file.read(4), "big")
        start = size - 4 - length
        if length < 11 or start < 0:
            return False
        file.seek(start)
        tag = file.read(4)
    return tag[0] & 0x1F in (8, 9, 18) and int.from_bytes(tag[1:4], "big") + 11 == length
