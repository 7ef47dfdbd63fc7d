"""The layout of MPEG transport streams (ISO/IEC 13818-1)."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from shared.video.reading.containers.beginnings import TS_PACKET, TS_SYNC, TS_TOGETHER, bytes_at, demuxer_of

_LEAST_ROWS, _ROWS = 64, 16_384
"""Smallest and largest number of packets read at once. After damage it is the smallest; each undamaged block quadruples it."""
_SEARCHED_BYTES = 4 * 1024 * 1024
_SERVICES = 0x11
_BEFORE_TABLE = 16
"""Maximum number of packets between a list of programs and its program's table."""
_VIDEO = frozenset({0x01, 0x02, 0x10, 0x1B, 0x20, 0x24, 0x33, 0x42, 0xD1, 0xEA})
_AUDIO = frozenset({0x03, 0x04, 0x0F, 0x11, 0x1C, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87})
_PRIVATE, _AUDIO_TAGS = 0x06, frozenset({0x6A, 0x7A, 0x7B, 0x7C})
"""Type of private streams, and the descriptors of private sound (ETSI EN 300 468)."""
_TURNED, _WHOLE = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256)), 0xFFFFFFFF
"""Table that reverses the bits of a byte; CRC-32 of an undamaged section.

The CRC-32 is that of the reversed bytes, the section's own check sum included.
"""


@dataclass(frozen=True, slots=True)
class _Program:
    """The program of a stream, as its table describes it.

    `table`: number of the packets with the table. `video`, `audio`: stream type and packet number of each track.
    """

    number: int
    table: int
    video: tuple[tuple[int, int], ...]
    audio: tuple[tuple[int, int], ...]


def end(file: BinaryIO, begin: int) -> int | None:
    """Return the end of the stream at `begin`, as a byte offset, or None.

    That is where other data follows the packets, or a stream with other tracks. None if the stream reaches to the end of the file. FFmpeg
    reads on where tracks change, but delivers the last picture before the change at the end, and decodes all with the first decoder.
    """
    first: _Program | None = None
    for place, program in _programs(file, begin):
        if program is None:
            return place
        if first is None or program == first:
            first = program
        elif place > begin and _divides(file, begin, place, first, program):
            return place
        else:
            first = program
    return None


def _divides(file: BinaryIO, begin: int, place: int, before: _Program, after: _Program) -> bool:
    """Return whether a stream can be divided where the table of its program changes.

    `begin`: byte offset of the stream. `place`: byte offset of the change. In a broadcast, a picture may continue behind a new table.
    Sound that FFmpeg finds when it opens the file is read anyway.
    """
    if after.video != before.video or after.number != before.number:
        return True
    finds_sound = not before.audio and place - begin < _SEARCHED_BYTES
    return not finds_sound and _starts(file, place, after)


def coding(file: BinaryIO, begin: int) -> tuple[int, ...] | None:
    """Return the types of a stream's video tracks, or None.

    `begin`: byte offset of the stream. None if the stream has several programs, or no table within its first bytes.
    """
    for _, program in _programs(file, begin, most=_SEARCHED_BYTES):
        return None if program is None else tuple(kind for kind, _ in program.video)
    return None


def _programs(file: BinaryIO, begin: int, most: int | None = None) -> Iterator[tuple[int, _Program | None]]:
    """Yield each table of a stream's only program, with a byte offset.

    The offset is that of the list of programs before the table. None in place of a table where other data follows the packets. `most`:
    number of bytes that are read at least.
    """
    listed, named = begin, (0, 0)
    for place, rows in _packets(file, begin):
        if most is not None and place > begin + most:
            return
        if rows is None:
            yield place, None
            return
        numbers = (rows[:, 1] & 0x1F).astype(np.int32) << 8 | rows[:, 2]
        starts = (rows[:, 1] & 0x40) > 0
        for row in np.flatnonzero(starts & ((numbers == 0) | np.isin(numbers, _tables(rows[starts & (numbers == 0)], named[1])))):
            packet = _uncounted(rows[row])
            at = place + int(row) * TS_PACKET
            if numbers[row] == 0:
                if programs := _listed(packet):
                    # The description of services stands before the list of programs.
                    listed = at - TS_PACKET * bool(row and numbers[row - 1] == _SERVICES)
                    named = programs[0] if len(programs) == 1 else (0, 0)
            elif numbers[row] == named[1] and (program := _program(packet, *named)) is not None:
                yield (listed if at - listed <= _BEFORE_TABLE * TS_PACKET else at), program


def _tables(lists: NDArray[np.uint8], first: int) -> list[int]:
    """Return `first` and the packet numbers of all tables named in lists of programs.

    `lists`: packets with these lists, (n, 188) uint8.
    """
    return [first, *(number for packet in {_uncounted(row) for row in lists} for _, number in _listed(packet))]


def _uncounted(packet: NDArray[np.uint8]) -> bytes:
    """Return a packet's bytes without its counter: repeated tables are then equal."""
    data = packet.tobytes()
    return data[:3] + bytes([data[3] & 0xF0]) + data[4:]


def _section(packet: bytes) -> bytes:
    """Return the section that begins in a packet (2.4.4).

    Empty if the section does not end in the packet, is damaged, or announces a table that does not apply yet (2.4.4.5).
    """
    start = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    section = packet[start + 1 + packet[start] :] if start < TS_PACKET else b""
    section = section[: 3 + (int.from_bytes(section[1:3], "big") & 0xFFF)]
    # The check sum of a section has the bits of each byte in another order than that of zip files.
    whole = len(section) > 5 and zlib.crc32(section.translate(_TURNED)) == _WHOLE
    return section if whole and section[5] & 1 else b""


@lru_cache(maxsize=256)
def _listed(packet: bytes) -> tuple[tuple[int, int], ...]:
    """Return number and table of each program in a packet's list (2.4.4.3)."""
    section = _section(packet)
    if section[:1] != b"\0":
        return ()
    entries = (
        (int.from_bytes(section[at : at + 2], "big"), int.from_bytes(section[at + 2 : at + 4], "big"))
        for at in range(8, len(section) - 4, 4)
    )
    return tuple((number, table & 0x1FFF) for number, table in entries if number)


@lru_cache(maxsize=256)
def _program(packet: bytes, number: int, table: int) -> _Program | None:
    """Return the program whose table a packet holds (2.4.4.8), or None.

    None for other sections, and for those that `_section` leaves out.
    """
    section = _section(packet)
    stop = len(section) - 4
    if section[:1] != b"\2":
        return None
    video, audio = [], []
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= stop:
        kind, packets = section[at], int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
        behind = at + 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
        if kind in _VIDEO:
            video.append((kind, packets))
        elif kind in _AUDIO or (kind == _PRIVATE and _tags(section[at + 5 : behind]) & _AUDIO_TAGS):
            audio.append((kind, packets))
        at = behind
    return _Program(number, table, tuple(video), tuple(audio))


def _tags(descriptors: bytes) -> set[int]:
    tags: set[int] = set()
    while len(descriptors) >= 2:
        tags.add(descriptors[0])
        descriptors = descriptors[2 + descriptors[1] :]
    return tags


def _starts(file: BinaryIO, place: int, program: _Program) -> bool:
    """Return whether a program's next video packet begins a picture.

    The search begins at byte offset `place`.
    """
    for at, rows in _packets(file, place):
        if rows is None or at > place + _SEARCHED_BYTES:
            break
        numbers = (rows[:, 1] & 0x1F).astype(np.int32) << 8 | rows[:, 2]
        video_rows = np.flatnonzero(np.isin(numbers, [packets for _, packets in program.video]))
        if video_rows.size:
            return bool(rows[video_rows[0], 1] & 0x40)
    return True


def _packets(file: BinaryIO, begin: int) -> Iterator[tuple[int, NDArray[np.uint8] | None]]:
    """Yield a stream's packets, with the byte offset of the first of each group.

    Groups are (n, 188) uint8. None in place of a group where another container begins.
    """
    place, most = begin, _LEAST_ROWS
    while len(data := bytes_at(file, place, most * TS_PACKET)) >= TS_PACKET:
        rows = np.frombuffer(data, np.uint8, len(data) // TS_PACKET * TS_PACKET).reshape(-1, TS_PACKET)
        bad = np.flatnonzero(rows[:, 0] != TS_SYNC)
        count = int(bad[0]) if bad.size else len(rows)
        if count:
            yield place, rows[:count]
        place += count * TS_PACKET
        if not bad.size:
            most = min(4 * most, _ROWS)
            continue
        most = _LEAST_ROWS
        other = _other_container(file, max(place - TS_PACKET, begin) + 1)
        if other is not None:
            yield other, None
            return
        next_start = _in_step(file, place + 1)
        if next_start is None:
            return
        place = next_start


def _other_container(file: BinaryIO, begin: int) -> int | None:
    """Return the byte offset of another container near `begin`, or None.

    It begins within the length of two packets.
    """
    data = bytes_at(file, begin, 4 * TS_PACKET)
    kinds = ((at, demuxer_of(data[at : at + 2 * TS_PACKET])) for at in range(2 * TS_PACKET))
    return next((begin + at for at, kind in kinds if kind is not None), None)


def _in_step(file: BinaryIO, begin: int) -> int | None:
    """Return where the next three packets in a row begin (byte offset), or None."""
    most = _LEAST_ROWS * TS_PACKET
    while len(data := bytes_at(file, begin, most)) >= TS_TOGETHER * TS_PACKET:
        sync = np.frombuffer(data, np.uint8) == TS_SYNC
        reach = len(sync) - (TS_TOGETHER - 1) * TS_PACKET
        starts = np.flatnonzero(np.logical_and.reduce([sync[number * TS_PACKET :][:reach] for number in range(TS_TOGETHER)]))
        if starts.size:
            return begin + int(starts[0])
        begin += reach
        most = min(4 * most, _SEARCHED_BYTES)
    return None
