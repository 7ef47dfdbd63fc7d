"""The layout of Matroska and WebM files (RFC 8794 and RFC 9559)."""

from collections.abc import Iterator
from typing import BinaryIO

from shared.video.reading.containers.beginnings import EBML, bytes_at

_HEAD_BYTES = 1024 * 1024
HEAD, SEGMENT, CLUSTER, _TRACKS, _ENTRY = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE
OUTER = frozenset(
    # The numbers: information, seek head, index, tags, attachments, chapters, void, check sum.
    (SEGMENT, CLUSTER, _TRACKS, 0x1549A966, 0x114D9B74, 0x1C53BB6B, 0x1254C367, 0x1941A469, 0x1043A770, 0xEC, 0xBF)
)
"""Identifiers of the outermost elements that follow a file's head."""
_MOST_ELEMENTS = 1_000_000
_NUMBER, _CODEC, _PRIVATE = 0xD7, 0x86, 0x63A2


def end(file: BinaryIO, begin: int) -> int | None:
    """Return where the Matroska file at `begin` ends (byte offset), or None.

    None if the length of its segment is unknown, and no other file follows its last element.
    """
    head = bytes_at(file, begin, 4096)
    if head[:4] != EBML:
        return None
    stated = segment_end(head)
    if stated:
        return begin + stated
    stop = _walked(file, begin)[1]
    return stop if stop is not None and stop > begin and bytes_at(file, stop, 4) == EBML else None


def last_element(file: BinaryIO, begin: int) -> int:
    """Return where the last outer element begins in a Matroska file.

    The file lies at `begin`; both are byte offsets. Outer elements are those of the segment, as far as their lengths lead.
    """
    return _walked(file, begin)[0]


def _walked(file: BinaryIO, begin: int) -> tuple[int, int | None]:
    """Find the last outer element of a Matroska file.

    Returns start and end. None if the end is unknown.
    """
    last, place = begin, begin
    for _ in range(_MOST_ELEMENTS):
        head = bytes_at(file, place, 12)
        number, length, start = next(elements(head, 0, len(head)), (0, None, 0))
        if number not in OUTER and not (number == HEAD and place == begin):
            break
        last = place
        if number == SEGMENT:
            place += start
        elif length is None:
            return last, None
        else:
            place += start + length
    return last, place


def segment_end(head: bytes) -> int:
    """Return the byte offset at which a Matroska file's segment ends; 0 if unknown.

    `head`: a file's first bytes.
    """
    for number, length, start in elements(head, 0, len(head)):
        if number == SEGMENT:
            return 0 if length is None else start + length
        if number != HEAD:
            return 0
    return 0


def coding(file: BinaryIO, begin: int) -> list[tuple[bytes | None, ...]] | None:
    """Return the tracks' number, codec and codec header in Matroska, or None.

    `begin`: byte offset at which the file begins. None if no list of tracks comes before the pictures.
    """
    data = bytes_at(file, begin, _HEAD_BYTES)
    place, inner = 0, len(data)
    for number, length, start in elements(data, 0, len(data)):
        if number == SEGMENT:
            place, inner = start, inner if length is None else start + length
            break
    for number, length, start in elements(data, place, inner):
        if number == CLUSTER or length is None:
            return None
        if number == _TRACKS:
            return [
                _entry(data, begins, begins + size)
                for kind, size, begins in elements(data, start, start + length)
                if kind == _ENTRY and size
            ]
    return None


def _entry(data: bytes, start: int, stop: int) -> tuple[bytes | None, ...]:
    values = {number: data[begins : begins + size] for number, size, begins in elements(data, start, stop) if size is not None}
    return values.get(_NUMBER), values.get(_CODEC), values.get(_PRIVATE)


def elements(data: bytes, place: int, stop: int) -> Iterator[tuple[int, int | None, int]]:
    """Yield identifier, length and offset of the content of each element in `data`.

    From offset `place` to `stop`, or to an element whose head the data cuts off. The length is None if it is unknown.
    """
    stop = min(stop, len(data))
    while place < stop and data[place]:
        size = 9 - data[place].bit_length()
        number = int.from_bytes(data[place : place + size], "big")
        place += size
        if place >= stop or not data[place]:
            return
        size = 9 - data[place].bit_length()
        if place + size > stop:
            return
        length = int.from_bytes(data[place : place + size], "big") - (1 << 7 * size)
        unknown = length == (1 << 7 * size) - 1
        place += size
        yield number, None if unknown else length, place
        if unknown:
            return
        place += length
