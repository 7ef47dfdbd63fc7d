"""The layout of MXF files (SMPTE ST 377-1)."""

from typing import BinaryIO

from shared.video.reading.containers.beginnings import MXF, bytes_at

_SEARCHED = 1024 * 1024


def footer(file: BinaryIO, begin: int) -> int | None:
    """Return where the footer of the MXF file at `begin` begins, or None.

    Both are byte offsets. The header partition states it (7.1), unless the file was never finished.
    """
    head = bytes_at(file, begin, 128)
    start = 17 + (head[16] & 0x7F if head[16] & 0x80 else 0) if len(head) > 64 else 0
    place = int.from_bytes(head[start + 24 : start + 32], "big")
    return begin + place if place and head[:14] == MXF else None


def end(file: BinaryIO, begin: int) -> int | None:
    """Return where the MXF file at `begin` ends (byte offset), or None.

    That is where another file's header follows the footer; None if none follows.
    """
    last = footer(file, begin)
    place = -1 if last is None else bytes_at(file, last, _SEARCHED).find(MXF)
    return None if last is None or place < 0 else last + place
