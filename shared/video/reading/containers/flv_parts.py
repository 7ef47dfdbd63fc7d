"""The parts of an FLV file that was joined from several files."""

import os
import struct
from dataclasses import dataclass
from functools import lru_cache

from shared.video.reading.containers.beginnings import bytes_at, find_bytes

_HEADER = b"FLV\x01"
_SOUND, _PICTURE, _DATA = 8, 9, 18
_MOST_TAGS = 20_000_000
_MOST_PARTS = 200
"""Maximum number of parts to read of a file. FFmpeg opens the file once for each part."""


@dataclass(frozen=True, slots=True)
class FlvParts:
    """Byte ranges of the joined parts of an FLV file.

    `ranges`: of the tags behind each header, without empty ranges; the first range begins with the first header. `unread`: byte offset at
    which reading stops, because a part of another coding or one part too many begins there; None if every part is read.
    """

    ranges: tuple[tuple[int, int], ...]
    unread: int | None = None


def flv_parts(path: str | os.PathLike[str]) -> FlvParts:
    """Find the parts of an FLV file by its inner headers, up to 200.

    FFmpeg skips everything behind a second header. A tag that a second header cuts off is left out. Source: FLV specification, E.2 to E.5.
    """
    status = os.stat(path)
    return _parts(os.path.abspath(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _parts(path: str, size: int, _mtime_ns: int) -> FlvParts:
    # Mapped pages would count as memory of the process: read the file instead.
    with open(path, "rb") as file:
        if _stated_size(bytes_at(file, 0, 4096)) == size:
            return FlvParts(((0, size),))
        ranges: list[tuple[int, int]] = []
        first: dict[int, int] = {}
        coding: dict[int, int] = {}
        begin, place = 0, 13
        last = place
        headers = 1
        for _ in range(_MOST_TAGS):
            file.seek(place)
            tag = file.read(12)
            if len(tag) < 11 and place <= size and not tag.startswith(_HEADER):
                break
            kind = tag[0] & 0x1F if tag else None
            if kind in (_SOUND, _PICTURE, _DATA):
                if kind != _DATA and len(tag) == 12:
                    coding.setdefault(kind, tag[11] & 0x0F if kind == _PICTURE else tag[11])
                last, place = place, place + 15 + int.from_bytes(tag[1:4], "big")
                continue
            header = place if tag[:4] == _HEADER else find_bytes(file, _HEADER, last)
            # The last header may be incomplete.
            if header is None or not b"\0\0\0\x09".startswith(bytes_at(file, header + 5, 4)):
                break
            end = place if header >= place else last
            first = first or coding
            if coding and coding != first:
                return FlvParts(tuple(ranges), begin - 13)
            if not ranges or end > begin:
                ranges.append((begin, end))
            coding = {}
            begin = place = last = header + 13
            headers += 1
            if headers > _MOST_PARTS:
                return FlvParts(tuple(ranges), header)
        if coding and first and coding != first:
            return FlvParts(tuple(ranges), begin - 13)
        return FlvParts((*ranges, (begin, size)) if not ranges or size > begin else tuple(ranges))


def _stated_size(head: bytes) -> float | None:
    """Return the file size that an FLV file's metadata states, in bytes, or None.

    A file of this size was not joined. `head`: the file's first bytes. Source: FLV specification, E.5.
    """
    place = head.lower().find(b"filesize\0")
    value = head[place + 9 : place + 17]
    return float(struct.unpack(">d", value)[0]) if place > 0 and len(value) == 8 else None
