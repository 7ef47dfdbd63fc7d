"""The colour properties of AVIF and HEIC files.

Sources: ISO/IEC 23008-12, and 14496-12 for the boxes.
"""

from collections.abc import Iterator

_MOST_BOXES = 10_000


def code_points(head: bytes) -> tuple[int, int] | None:
    """Return the main picture's colour codes (primaries, transfer curve), or None.

    `head`: the file's first bytes, with all that stands before the pixels. If properties are assigned to no main picture, the first count.
    """
    meta = next((data[4:] for kind, data in _boxes(head) if kind == b"meta"), b"")
    inside = dict(_boxes(meta))
    properties = dict(_boxes(inside.get(b"iprp", b"")))
    listed = [_points(kind, data) for kind, data in _boxes(properties.get(b"ipco", b""))]
    item = _main_item(inside.get(b"pitm", b""))
    own = [listed[place] for place in _assigned(properties.get(b"ipma", b""), item) if place < len(listed)]
    return next((points for points in (*own, *listed) if points is not None), None)


def _points(kind: bytes, data: bytes) -> tuple[int, int] | None:
    if kind != b"colr" or data[:4] != b"nclx" or len(data) < 8:
        return None
    return int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")


def _main_item(data: bytes) -> int:
    return int.from_bytes(data[4 : 6 if data[:1] == b"\0" else 8], "big")


def _assigned(data: bytes, item: int) -> Iterator[int]:
    """Yield the indices of an item's properties in the list of properties.

    Indices count from 0. Source: 23008-12, 9.3.
    """
    number_bytes, place_bytes = (2 if data[:1] == b"\0" else 4), (2 if data[3:4] and data[3] & 1 else 1)
    place = 8
    for _ in range(int.from_bytes(data[4:8], "big")):
        if place >= len(data):
            return
        number = int.from_bytes(data[place : place + number_bytes], "big")
        place += number_bytes
        count = int.from_bytes(data[place : place + 1], "big")
        place += 1
        if number == item:
            entries = (data[at : at + place_bytes] for at in range(place, place + count * place_bytes, place_bytes))
            # The first bit says whether readers have to understand the property; 0 stands for none.
            numbers = (int.from_bytes(entry, "big") & (1 << 8 * place_bytes - 1) - 1 for entry in entries)
            yield from (number - 1 for number in numbers if number)
        place += count * place_bytes


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each box in `data`.

    The content of the last box may be cut off.
    """
    place = 0
    for _ in range(_MOST_BOXES):
        length, start = int.from_bytes(data[place : place + 4], "big"), place + 8
        if length == 1:
            length, start = int.from_bytes(data[place + 8 : place + 16], "big"), place + 16
        if start > len(data):
            return
        stop = len(data) if length == 0 else place + length
        if stop < start:
            return
        yield data[place + 4 : place + 8], data[start:stop]
        place = stop
