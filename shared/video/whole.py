"""Whether a file ends before its own header says that it does."""

import os
from typing import Any


def cut_off(path: str | os.PathLike[str], container: Any, head: bytes) -> bool:
    """Whether bytes are missing at the end, as after an upload or a copy that broke off.

    MP4 and QuickTime: the index names samples beyond the end. Matroska and AVI: the outermost element is longer than the file. Streams that
    have no length of their own (MPEG-TS, FLV, live Matroska) cannot be told. `head` is the file's beginning.
    """
    size = os.stat(path).st_size
    name = container.format.name.partition(",")[0]
    if name == "mov":
        return any(_end_of_last(stream) > size for stream in container.streams)
    if name == "matroska":
        return _matroska_end(head) > size
    if name == "avi":
        return int.from_bytes(head[4:8], "little") + 8 > size
    return False


def _end_of_last(stream: Any) -> int:
    entries = stream.index_entries
    if not len(entries):
        return 0
    last = entries[len(entries) - 1]
    return int(last.pos + last.size)


def _matroska_end(head: bytes) -> int:
    """Where the segment ends (RFC 8794, EBML variable-size integers); 0 if it does not say."""
    position = 0
    for wanted in (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"):
        if head[position : position + 4] != wanted:
            return 0
        position += 4
        if position >= len(head) or not head[position]:
            return 0
        length = 9 - head[position].bit_length()
        value = int.from_bytes(head[position : position + length], "big") - (1 << 7 * length)
        position += length
        if value == (1 << 7 * length) - 1:
            return 0
        if wanted == b"\x1a\x45\xdf\xa3":
            position += value
    return position + value
