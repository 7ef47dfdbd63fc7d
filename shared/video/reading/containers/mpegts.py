"""The layout of MPEG transport streams (ISO/IEC 13818-1)."""

import os
from typing import BinaryIO

from shared.video.reading.containers.beginnings import TS_PACKET, TS_SYNC, TS_TOGETHER, bytes_at

_TAIL_BYTES = 2048 * TS_PACKET


def end(file: BinaryIO, begin: int) -> int | None:
    """Return the end of the stream at `begin`, as a byte offset, or None.

    That is where other data follows the packets; None if the stream reaches to the end of the file.
    """
    size = file.seek(0, os.SEEK_END)
    low, high = 0, (size - begin) // TS_PACKET
    if not _in_sync(file, begin) or _in_sync(file, begin + (high - TS_TOGETHER) * TS_PACKET):
        return None
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if _in_sync(file, begin + middle * TS_PACKET) else (low, middle)
    return begin + (low + TS_TOGETHER) * TS_PACKET


def other_program_at_end(path: str | os.PathLike[str]) -> bool:
    """Return whether a stream's start and end have no program in common.

    FFmpeg reads on where a program's tracks get other numbers, but not where the program itself does (2.4.4.3).
    """
    size = os.stat(path).st_size
    count = min(size // 4, _TAIL_BYTES) // TS_PACKET * TS_PACKET
    with open(path, "rb") as file:
        first, last = _programs(bytes_at(file, 0, count)), _programs(bytes_at(file, size - size % TS_PACKET - count, count))
    return bool(first and last) and not first & last


def _programs(data: bytes) -> set[bytes]:
    """Return number and table of each program that the packets in `data` announce.

    An entry is 4 bytes: the program's number, and the number of the packets with its table.
    """
    programs: set[bytes] = set()
    for place in range(0, len(data) - TS_PACKET + 1, TS_PACKET):
        packet = data[place : place + TS_PACKET]
        announces = packet[0] == TS_SYNC and packet[1] & 0x40 and not packet[1] & 0x1F and not packet[2]
        if announces and not packet[3] & 0x20:
            section = packet[5 + packet[4] :]
            programs |= {section[entry : entry + 4] for entry in range(8, (int.from_bytes(section[1:3], "big") & 0xFFF) - 1, 4)}
    return programs


def _in_sync(file: BinaryIO, place: int) -> bool:
    data = bytes_at(file, place, TS_TOGETHER * TS_PACKET)
    return len(data) == TS_TOGETHER * TS_PACKET and set(data[::TS_PACKET]) == {TS_SYNC}
