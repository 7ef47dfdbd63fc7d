"""The layout of PNG files."""

from typing import BinaryIO

from shared.video.reading.containers.beginnings import PNG, bytes_at

_MOST_CHUNKS = 1_000_000


def end(file: BinaryIO, begin: int) -> int | None:
    """Return where the PNG file at `begin` ends (byte offset), or None.

    That is behind the chunk IEND; None without this chunk.
    """
    place = begin + len(PNG)
    for _ in range(_MOST_CHUNKS):
        head = bytes_at(file, place, 8)
        if len(head) < 8:
            return None
        place += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == b"IEND":
            return place
    return None
