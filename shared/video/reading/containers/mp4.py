"""The layout of MP4 and QuickTime files (ISO/IEC 14496-12)."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from shared.video.reading.containers.beginnings import bytes_at

_MOST_BOXES = 100_000
_DESCRIPTION_BYTES = 64 * 1024
_MOST_TRACKS = 100
_FIRST_BOXES = frozenset((b"moov", b"mdat", b"wide", b"pnot"))
OUTER_BOXES = frozenset(
    (
        *(b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"free", b"skip"),
        *(b"wide", b"udta", b"meta", b"uuid", b"pnot", b"emsg", b"prft"),
    )
)
"""Outermost boxes of MP4 and QuickTime. Phones and taggers append other bytes behind the last one, which are no box."""
_LONG = (1).to_bytes(4, "big")
"""Length of a box whose true length, of 8 bytes, follows the kind."""


def end(file: BinaryIO, begin: int) -> int | None:
    """Return where the MP4 file at `begin` ends (byte offset), or None.

    That is at the next `ftyp` box, or where no box begins. Old QuickTime files have no such box: a second index tells that another file
    begins, behind the first index and its samples. None if the last box states no length, so that it reaches to the end of the file (4.2),
    and if there are too many boxes.
    """
    place = begin
    complete: int | None = None
    kinds: set[bytes] = set()
    for number, (kind, start, stop) in enumerate(_boxes(file, begin), 1):
        if number == _MOST_BOXES:
            return None
        if kind == b"ftyp" and start > begin:
            return start
        if complete is None and kind in _FIRST_BOXES and {b"moov", b"mdat"} <= kinds:
            complete = start
        if kind == b"moov" and complete is not None:
            return complete
        kinds.add(kind)
        place = stop
    head = bytes_at(file, place, 8)
    return None if head[:4] == bytes(4) and head[4:] in OUTER_BOXES else place


def last_box(file: BinaryIO, begin: int) -> int:
    """Return where an MP4 file's last known top-level box begins.

    The file lies at `begin`; both are byte offsets.
    """
    last = begin
    for kind, start, _ in _boxes(file, begin):
        if kind not in OUTER_BOXES or (kind == b"ftyp" and start > begin):
            break
        last = start
    return last


def coding(file: BinaryIO, begin: int) -> list[bytes] | None:
    """Return each track's sample description in an MP4 file, or None.

    Bit rates are left out. `begin`: byte offset at which the file begins.
    """
    for kind, start, stop in _boxes(file, begin):
        if kind == b"ftyp" and start > begin:
            return None
        if kind == b"moov":
            # Data may hold the same bytes by chance, so only boxes in their places count.
            boxes = [(start, stop)]
            for name in (b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
                boxes = [inner for outer in boxes for inner in _inner(file, name, *outer)]
            return [_BIT_RATES.sub(_without, bytes_at(file, first, min(last - first, _DESCRIPTION_BYTES))) for first, last in boxes] or None
    return None


def _inner(file: BinaryIO, box_kind: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    """Return start and end of a box's first 100 direct boxes of a kind."""
    inside = start + (16 if bytes_at(file, start, 4) == _LONG else 8)
    return [(first, last) for kind, first, last in _boxes(file, inside, stop) if kind == box_kind and last <= stop][:_MOST_TRACKS]


_BIT_RATES = re.compile(
    # A box of bit rates; and in the description of an elementary stream (ISO/IEC 14496-1, 7.2.6.6) buffer size and bit rates.
    rb"\x00\x00\x00\x14btrt.{12}|(?P<before>esds.{4}\x03[\x80-\xff]{0,3}..{3}\x04[\x80-\xff]{0,3}...).{11}",
    re.DOTALL,
)


def _without(match: "re.Match[bytes]") -> bytes:
    return match["before"] or b""


def announces_fragments(file: BinaryIO) -> bool:
    """Return whether the header of an MP4 file says that fragments follow.

    It says so with a box `mvex` in the first `moov` box. The same four bytes in other places, such as in samples, do not count.
    """
    for kind, start, stop in _boxes(file, 0):
        if kind == b"moov":
            inside = start + (16 if bytes_at(file, start, 4) == _LONG else 8)
            return any(kind == b"mvex" for kind, *_ in _boxes(file, inside, stop))
    return False


def _boxes(file: BinaryIO, begin: int, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each box between two byte offsets.

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
