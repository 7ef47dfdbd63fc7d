"""The parts of an FLV file that was joined from several files."""

import mmap
import os
from dataclasses import dataclass
from functools import lru_cache

_HEADER = b"FLV\x01"
_SOUND, _PICTURE, _DATA = 8, 9, 18
_MOST_TAGS = 20_000_000


@dataclass(frozen=True, slots=True)
class FlvParts:
    """Byte ranges of the joined parts of an FLV file.

    `ranges`: those of the tags behind each header; the first begins with the first header. `unread`: the byte at which a part of
    another coding begins, or None. It and what follows it are in no range.
    """

    ranges: tuple[tuple[int, int], ...]
    unread: int | None = None


def flv_parts(path: str | os.PathLike[str]) -> FlvParts:
    """Find the parts of an FLV file by the headers inside it.

    FFmpeg skips everything behind a second header. A tag that a second header cuts off is left out. Source: FLV specification, E.2 to E.4.
    """
    status = os.stat(path)
    return _parts(os.path.abspath(path), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _parts(path: str, size: int, _mtime_ns: int) -> FlvParts:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        ranges: list[tuple[int, int]] = []
        codings: list[dict[int, int]] = [{}]
        begin, place = 0, 13
        last = place
        for _ in range(_MOST_TAGS):
            if place + 11 > size:
                break
            kind = data[place] & 0x1F
            if kind in (_SOUND, _PICTURE, _DATA):
                if kind != _DATA and place + 11 < size:
                    codings[-1].setdefault(kind, data[place + 11] & 0x0F if kind == _PICTURE else data[place + 11])
                last, place = place, place + 15 + int.from_bytes(data[place + 1 : place + 4], "big")
                continue
            header = place if data[place : place + 4] == _HEADER else data.find(_HEADER, last)
            if header < 0 or data[header + 5 : header + 9] != b"\0\0\0\x09":
                break
            if codings[-1] != codings[0]:
                return FlvParts(tuple(ranges), begin - 13)
            ranges.append((begin, place if header == place else last))
            codings.append({})
            begin = place = last = header + 13
        if codings[-1] != codings[0]:
            return FlvParts(tuple(ranges), begin - 13)
        return FlvParts((*ranges, (begin, size)))
