"""The layout of MXF files (SMPTE ST 377-1)."""

from typing import BinaryIO

from shared.video.reading.containers.beginnings import MXF, bytes_at

_SEARCHED = 1024 * 1024


def end(file: BinaryIO, begin: int) -> int | None:
    """Return where the MXF file at `begin` ends (byte offset), or None.

    That is where another file's header follows the footer; None if none follows. The header partition states where the footer begins (7.1).
    """
    head = bytes_at(file, begin, 128)
    start = 17 + (head[16] & 0x7F if head[16] & 0x80 else 0) if len(head) > 64 else 0
    footer = int.from_bytes(head[start + 24 : start + 32], "big")
    if not footer or head[:14] != MXF:
        return None
    place = bytes_at(file, begin + footer, _SEARCHED).find(MXF)
    return None if place < 0 else begin + footer + place
