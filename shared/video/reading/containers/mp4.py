"""The layout of MP4 and QuickTime files (ISO/IEC 14496-12)."""

from collections.abc import Iterator
from typing import BinaryIO

from shared.video.reading.containers.beginnings import bytes_at

_MOST_BOXES = 100_000
_INDEX_BYTES = 1024 * 1024


def end(file: BinaryIO, begin: int) -> int | None:
    """Return the byte offset at which the MP4 file that begins at `begin` ends.

    That is at the next `ftyp` box, or where no box begins.
    """
    place = begin
    for kind, start, stop in _boxes(file, begin):
        if kind == b"ftyp" and start > begin:
            return start
        place = stop
    return place


def coding(file: BinaryIO, begin: int) -> list[bytes] | None:
    """Return the sample descriptions of a fragmented MP4 file; None for other files.

    `begin`: byte offset at which the file begins.
    """
    index: bytes | None = None
    for kind, start, stop in _boxes(file, begin):
        if kind == b"ftyp" and start > begin:
            return None
        if kind == b"moov" and stop - start <= _INDEX_BYTES:
            index = bytes_at(file, start, stop - start)
        if kind == b"moof":
            break
    else:
        return None
    if index is None or any(int.from_bytes(index[place + 12 : place + 16], "big") for place in _places(index, b"stsz")):
        return None
    return [index[place : place - 4 + int.from_bytes(index[place - 4 : place], "big")] for place in _places(index, b"stsd")]


def _places(data: bytes, kind: bytes) -> Iterator[int]:
    place = data.find(kind)
    while place >= 4:
        yield place
        place = data.find(kind, place + 4)


def _boxes(file: BinaryIO, begin: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each outermost box from byte offset `begin` on.

    Start and end are byte offsets; the end is that of the next box.
    """
    place = begin
    for _ in range(_MOST_BOXES):
        head = bytes_at(file, place, 16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or not head[4:8].isascii() or not head[4:8].decode("ascii").isprintable():
            return
        yield head[4:8], place, place + length
        place += length
