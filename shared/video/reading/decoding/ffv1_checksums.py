"""Checksums of the slices of FFV1 pictures (RFC 9043, 4.9).

FFmpeg's decoder replaces a slice whose checksum is wrong by that of the picture before, and reports nothing.
"""

import zlib

_FOOTER = 8
"""Bytes after a slice: its size, a status and the checksum."""
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_ALL_ONES = 0xFFFFFFFF


class SliceChecksums:
    """A check of the pictures of a file, in order.

    It begins to tell once a picture has right checksums: not every file has any.
    """

    def __init__(self) -> None:
        self._right: bool | None = None

    def wrong(self, packet: bytes) -> bool:
        """Return whether a slice of a picture has the wrong checksum."""
        if self._right is False:
            return False
        right = _checksums_right(packet)
        self._right = right if self._right is None else self._right
        return self._right and not right


def _checksums_right(packet: bytes) -> bool:
    """Return whether a packet consists of slices with right checksums.

    The last slice ends with the packet, and states where it begins. The checksum of a whole slice, with its own, is 0.
    """
    end = len(packet)
    while end >= _FOOTER:
        begin = end - _FOOTER - int.from_bytes(packet[end - _FOOTER : end - _FOOTER + 3], "big")
        if begin < 0 or _crc(packet[begin:end]):
            return False
        end = begin
    return end == 0


def _crc(data: bytes) -> int:
    """Return a checksum that is 0 where that of FFV1 is.

    The checksum of zip files has the same polynomial, 0x04C11DB7, but takes each byte's lowest bit first, and inverts its start and end.
    """
    return zlib.crc32(data.translate(_REVERSED), _ALL_ONES) ^ _ALL_ONES
