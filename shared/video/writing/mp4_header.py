"""Corrections of durations in a finished MP4 or QuickTime header."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

_NESTED = frozenset({b"trak", b"edts", b"mdia"})


@dataclass(frozen=True, slots=True)
class _Box:
    """A box of an MP4 header.

    `at`: offset of its body.
    """

    name: bytes
    at: int


@dataclass(frozen=True, slots=True)
class _Number:
    """The place of a number in an MP4 header: offset and size in bytes."""

    at: int
    size: int

    def read(self, data: bytearray) -> int:
        return int.from_bytes(data[self.at : self.at + self.size], "big")

    def write(self, data: bytearray, value: int) -> None:
        data[self.at : self.at + self.size] = value.to_bytes(self.size, "big")


def set_picture_length(path: str | os.PathLike[str], seconds: Fraction) -> None:
    """Set the duration of the video track in the header of an MP4 file.

    FFmpeg's muxer adds the length of the last packet in decoding order to its presentation time; with reordered pictures of varying rate
    that is not the end. Corrects `elst`, `tkhd`, `mdhd` and `mvhd` (ISO/IEC 14496-12) in place.
    """
    with Path(path).open("r+b") as file:
        place = _moov(file)
        if place is None:
            return
        at, size = place
        file.seek(at)
        data = bytearray(file.read(size))
        _correct(data, seconds)
        file.seek(at)
        file.write(data)


def _correct(data: bytearray, seconds: Fraction) -> None:
    boxes = list(_boxes(data, 0, len(data)))
    movie = next(box for box in boxes if box.name == b"mvhd")
    wide = data[movie.at] == 1
    length = round(seconds * _Number(movie.at + (20 if wide else 12), 4).read(data))
    starts = [index for index, box in enumerate(boxes) if box.name == b"trak"]
    longest = 0
    corrected = False
    for first, last in zip(starts, [*starts[1:], len(boxes)], strict=True):
        track = {box.name: box.at for box in boxes[first:last]}
        head = track[b"tkhd"]
        total = _Number(head + 28, 8) if data[head] else _Number(head + 20, 4)
        if not corrected and data[track[b"hdlr"] + 8 : track[b"hdlr"] + 12] == b"vide":
            corrected = True
            media = track[b"mdhd"]
            scale = _Number(media + (20 if data[media] else 12), 4).read(data)
            (_Number(media + 24, 8) if data[media] else _Number(media + 16, 4)).write(data, round(seconds * scale))
            edits = list(_edits(data, track[b"elst"])) if b"elst" in track else []
            if edits:
                edits[-1].write(data, length)
            total.write(data, sum(edit.read(data) for edit in edits) if edits else length)
        longest = max(longest, total.read(data))
    (_Number(movie.at + 24, 8) if wide else _Number(movie.at + 16, 4)).write(data, longest)


def _edits(data: bytearray, at: int) -> Iterator[_Number]:
    """Yield the places of the durations in the edit list at offset `at`."""
    size = 8 if data[at] else 4
    for index in range(_Number(at + 4, 4).read(data)):
        yield _Number(at + 8 + index * (2 * size + 4), size)


def _boxes(data: bytearray, start: int, end: int) -> Iterator[_Box]:
    """Yield the boxes between two offsets, including boxes inside tracks."""
    while start + 8 <= end:
        size, name = struct.unpack(">I4s", data[start : start + 8])
        if size < 8:
            return
        yield _Box(name, start + 8)
        if name in _NESTED:
            yield from _boxes(data, start + 8, start + size)
        start += size


def _moov(file: BinaryIO) -> tuple[int, int] | None:
    """Return offset and size of the content of `moov`, or None.

    `moov` is the header box.
    """
    at = 0
    while len(head := file.read(16)) >= 8:
        size, name = struct.unpack(">I4s", head[:8])
        if name == b"moov":
            return at + 8, size - 8
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:
            return None
        at += size
        file.seek(at)
    return None
