"""The layout of ASF files, such as WMV (Microsoft's ASF specification)."""

from typing import BinaryIO

from shared.video.reading.containers.beginnings import bytes_at

_HEAD_BYTES = 64 * 1024
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def end(file: BinaryIO, begin: int) -> int | None:
    """Return where the ASF file at `begin` ends (byte offset), or None.

    Its header states the length; None if it states none, as in streams.
    """
    head = bytes_at(file, begin, _HEAD_BYTES)
    place = head.find(_FILE_PROPERTIES)
    length = int.from_bytes(head[place + 40 : place + 48], "little") if place > 0 else 0
    return begin + length if length else None
