"""The layout of MP4 and QuickTime files (ISO/IEC 14496-12)."""

from collections.abc import Iterator
from typing import BinaryIO

from shared.video.reading.containers.beginnings import bytes_at

_MOST_BOXES = 100_000
_INDEX_BYTES = 1024 * 1024
_LONG = (1).to_bytes(4, "big")
"""Length of a box whose true length, of 8 bytes, follows the kind."""


def end(file: BinaryIO, begin: int) -> int | None:
    """Return the byte offset of the end of the MP4 file that begins at `begin`.

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
    return list(_descriptions(index))


def announces_fragments(file: BinaryIO) -> bool:
    """Return whether the header of an MP4 file says that fragments follow.

    The header is the first `moov` box; then it has a box `mvex`. Other places of these four bytes, such as in samples, do not count.
    """
    for kind, start, stop in _boxes(file, 0):
        if kind == b"moov":
            inside = start + (16 if bytes_at(file, start, 4) == _LONG else 8)
            return any(kind == b"mvex" for kind, *_ in _boxes(file, inside, stop))
    return False


def _descriptions(index: bytes) -> Iterator[bytes]:
    """Yield the sample descriptions in a `moov` box, except nested descriptions."""
    end = 0
    for place in _places(index, b"stsd"):
        if place >= end:
            end = place - 4 + int.from_bytes(index[place - 4 : place], "big")
            yield index[place:end]


def _places(data: bytes, kind: bytes) -> Iterator[int]:
    place = data.find(kind)
    while place >= 4:
        yield place
        place = data.find(kind, place + 4)


def _boxes(file: BinaryIO, begin: int, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each box from byte offset `begin` up to `end`.

    Start and end are byte offsets. `end`: that of the outer box; None for outermost boxes. Boxes within boxes are not yielded.
    """
    place = begin
    for _ in range(_MOST_BOXES):
        if end is not None and place + 8 > end:
            return
        head = bytes_at(file, place, 16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or not head[4:8].isascii() or not head[4:8].decode("ascii").isprintable():
            return
        yield head[4:8], place, place + length
        place += length
