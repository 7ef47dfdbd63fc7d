"""Copies of GIF files with longer frame delays.

Delays of 0 and 10 ms become 100 ms. Many GIF files state such delays. Browsers show the frame for 100 ms.
"""

import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from shared.video.reading.file_copies import kept_copy

_SHORTEST, _USUAL = 2, 10
"""Shortest valid frame delay, and the replacement of shorter ones. In hundredths of a second."""
_CLEARED = 2
"""The disposal method after which a picture's place is transparent."""
_MOST_BLOCKS = 20_000_000


def with_usual_steps(path: str | os.PathLike[str], head: bytes) -> AbstractContextManager[str | os.PathLike[str]]:
    """Copy a GIF, correcting frame delays that are too short.

    Yields the copy's path. `head`: the file's first bytes. Yields `path` itself if the file is no GIF, or has no short delay. The copy
    stays during the `with` block; the process keeps it for reuse.
    """
    if head[:6] not in (b"GIF87a", b"GIF89a"):
        return nullcontext(path)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        places = [place for place in _steps(data) if int.from_bytes(data[place : place + 2], "little") < _SHORTEST]
    if not places:
        return nullcontext(path)

    def write(copy: Path) -> None:
        shutil.copyfile(path, copy)
        with open(copy, "r+b") as file:
            for place in places:
                file.seek(place)
                file.write(_USUAL.to_bytes(2, "little"))

    return kept_copy(path, ".gif", write)


def clears_pictures(path: str | os.PathLike[str]) -> bool:
    """Return whether a GIF clears a picture before the next, which leaves it transparent."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(data[place - 1] >> 2 & 7 == _CLEARED for place in _steps(data))


def _steps(data: mmap.mmap) -> Iterator[int]:
    """Yield the byte offsets of all frame delays in a GIF.

    Stops at the end or the first damage. Source: GIF89a specification, 18 to 23.
    """
    size = len(data)
    if size < 13:
        return
    place = 13 + _table(data[10])
    for _ in range(_MOST_BLOCKS):
        if place + 10 >= size:
            return
        kind = data[place]
        if kind == 0x21:
            if data[place + 1] == 0xF9 and data[place + 2] == 4:
                yield place + 4
            place += 2
        elif kind == 0x2C:
            place += 11 + _table(data[place + 9])
        else:
            return
        while place < size and (length := data[place]):
            place += length + 1
        place += 1


def _table(flags: int) -> int:
    """Return the size of a GIF colour table in bytes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
