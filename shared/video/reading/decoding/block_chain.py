"""Detection of damage in Matroska files, which breaks the chain of blocks."""

import os
from typing import Any

from shared.video.reading.containers.matroska import CLUSTER, HEAD, OUTER, SEGMENT, elements, segment_end

_SIMPLE, _BLOCK, _GROUP = 0xA3, 0xA1, 0xA0
_ENTERED = frozenset({SEGMENT, CLUSTER, _GROUP})
"""Elements whose inner elements are read one by one. All others are skipped as a whole."""
_INNER = (_SIMPLE, _BLOCK, 0xE7, 0xA7, 0xAB, 0x5854, 0xAF, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x75A1, 0xA2, 0x8E, 0xC8)
"""Elements in clusters and block groups. Clusters: blocks, time, position, previous size, silent tracks, encrypted block. Groups: duration,
priority, references, state, padding, additions, virtual block, slices, reference frame."""
_KNOWN = _ENTERED | OUTER | {HEAD, *_INNER}
_HEAD_BYTES = 16
_MOST_STEPS = 100_000
"""Maximum number of elements between two pictures."""


class BlockChain:
    """A walk along a Matroska file's blocks by their lengths (RFC 8794, section 6).

    In a whole file, the lengths of all elements lead from each block to the next. FFmpeg searches for the next cluster where they do not,
    and says nothing about the blocks in between.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._file).st_size
        self._stop = segment_end(os.pread(self._file, 4096, 0)) or self._size
        self._block = self._next = -1
        """Byte offsets of the last block's content, and of the next element."""

    def __del__(self) -> None:
        os.close(self._file)

    def broken(self, packet: Any) -> bool:
        """Return whether bytes are missing before a packet, or within it.

        `packet`: the next packet in the order of the file.
        """
        if packet.pos is None or packet.pos < 0 or packet.pos == self._block:
            return False
        reached = self._end_of(packet) if packet.pos < self._next or self._next < 0 else self._followed(packet.pos)
        self._block = packet.pos
        if reached is None:
            # Without a block before it, the packet's place is not understood.
            damaged, self._next = self._next >= 0, -1
            return damaged
        self._next = reached
        return not self._goes_on(reached)

    def _followed(self, pos: int) -> int | None:
        """Follow the chain to the block whose content begins at `pos`.

        Returns the end of the block; None if the chain does not lead there. Both are byte offsets.
        """
        place = self._next
        for _ in range(_MOST_STEPS):
            number, length, start = self._element(place)
            if number in (_SIMPLE, _BLOCK) and place + start == pos and length is not None:
                return pos + length
            if number not in _KNOWN or place >= pos:
                return None
            place += start if number in _ENTERED or length is None else start + length
        return None

    def _end_of(self, packet: Any) -> int | None:
        """Return where the block of `packet` ends, as the block's head states.

        None if there is no such head. Of several possible heads, the one is taken whose stated length is nearest to the packet's.
        """
        head = os.pread(self._file, 9, packet.pos - 9) if packet.pos >= 9 else b""
        lengths = [
            int.from_bytes(head[-size:], "big") - (1 << 7 * size)
            for size in range(1, len(head))
            if head[-size - 1] in (_SIMPLE, _BLOCK) and 9 - head[-size].bit_length() == size
        ]
        return packet.pos + min(lengths, key=lambda length: abs(length - packet.size)) if lengths else None

    def _goes_on(self, place: int) -> bool:
        """Return whether an element begins at byte offset `place`, or the file ends there."""
        return place + _HEAD_BYTES > self._size or place >= self._stop or self._element(place)[0] in _KNOWN

    def _element(self, place: int) -> tuple[int, int | None, int]:
        """Return identifier, length and content offset of the element at `place`."""
        head = os.pread(self._file, _HEAD_BYTES, place)
        return next(elements(head, 0, len(head)), (0, None, 0))
