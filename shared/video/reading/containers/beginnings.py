"""Recognition of containers by their first bytes."""

from typing import BinaryIO

ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
EBML = b"\x1a\x45\xdf\xa3"
MXF = bytes.fromhex("060e2b34020501010d01020101") + b"\x02"
PNG = b"\x89PNG\r\n\x1a\n"
TS_SYNC, TS_PACKET, TS_TOGETHER = 0x47, 188, 3
"""First byte and length of an MPEG-TS packet. TS_TOGETHER such packets in a row prove a stream."""
SEGMENT = b"\x18\x53\x80\x67"
_OLD_QUICKTIME = frozenset((b"moov", b"mdat", b"wide", b"pnot"))
"""Boxes with which QuickTime files without a box `ftyp` begin."""
_BEHIND_FTYP = frozenset((b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"uuid", b"pnot", b"styp", b"sidx", b"meta"))
_MARKED_BYTES = 256
"""Number of first bytes that show whether a file is MP4 or Matroska."""
_CHUNK = 1024 * 1024
_HEAD_BYTES = TS_PACKET * (TS_TOGETHER - 1) + 1


def bytes_at(file: BinaryIO, place: int, count: int) -> bytes:
    """Read up to `count` bytes of a file from byte offset `place` on.

    Empty beyond the end, also where `place` is too large for any file, as lengths in damaged files may be.
    """
    try:
        file.seek(place)
    except (OSError, ValueError, OverflowError):  # each file system has a farthest place of its own
        return b""
    return file.read(count)


def find_bytes(file: BinaryIO, pattern: bytes, begin: int) -> int | None:
    """Return the byte offset of the first `pattern` from `begin` on, or None."""
    place, overlap = begin, b""
    file.seek(begin)
    while chunk := file.read(_CHUNK):
        data = overlap + chunk
        if (index := data.find(pattern)) >= 0:
            return place + index
        overlap = data[1 - len(pattern) :]
        place += len(data) - len(overlap)
    return None


class Beginnings:
    """A search for the MP4 or Matroska files within a file.

    It reads each byte once.
    """

    def __init__(self, file: BinaryIO, magic: bytes, back: int):
        """Prepare a search for files that have `magic` at byte offset `back`."""
        self._file, self._magic, self._back = file, magic, back
        self._place, self._data, self._ended = 0, b"", False  # a piece of the file, and whether it reaches to the end
        self._latest: int | None = -1

    def next(self, begin: int) -> int | None:
        """Return the byte offset of the next beginning from `begin` on, or None.

        No `begin` is before the last one. The header is examined, since samples may hold the same bytes by chance.
        """
        if self._latest is not None and self._latest < begin:
            self._latest = self._first(begin)
        return self._latest

    def _first(self, begin: int) -> int | None:
        """Return the byte offset of the first beginning from `begin` on, or None."""
        if not self._place <= begin <= self._place + len(self._data):
            self._place, self._data, self._ended = begin, b"", False
        searched = begin - self._place + self._back
        while True:
            while (at := self._data.find(self._magic, searched)) >= 0:
                head = self._data[at - self._back : at - self._back + _MARKED_BYTES]
                if len(head) < _MARKED_BYTES and not self._ended:
                    break
                if _begins_matroska(head) if self._magic == EBML else _begins_mp4(head):
                    return self._place + at - self._back
                searched = at + 1
            if self._ended:
                return None
            first = max(len(self._data) - _MARKED_BYTES, 0) if at < 0 else at - self._back
            searched = max(searched - first, self._back)
            self._read_on(first)

    def _read_on(self, first: int) -> None:
        """Read the next piece of the file.

        The present one stays from its offset `first` on.
        """
        self._place, self._data = self._place + first, self._data[first:]
        self._file.seek(self._place + len(self._data))
        chunk = self._file.read(_CHUNK)
        self._data, self._ended = self._data + chunk, len(chunk) < _CHUNK


def _begins_mp4(head: bytes) -> bool:
    """Return whether `head` begins with the box `ftyp` and a box allowed after it."""
    length = int.from_bytes(head[:4], "big")
    return 16 <= length <= _MARKED_BYTES - 8 and head[8:12].isascii() and head[length + 4 : length + 8] in _BEHIND_FTYP


def _begins_matroska(head: bytes) -> bool:
    """Return whether `head` begins with the EBML header and segment of Matroska.

    WebM files begin in the same way.
    """
    return (b"matroska" in head or b"webm" in head) and SEGMENT in head


def demuxer_at(file: BinaryIO, place: int) -> str | None:
    """Return FFmpeg's name of the container that begins at byte offset `place`, or None.

    "webp" for WebP files. None if no known container begins there.
    """
    return demuxer_of(bytes_at(file, place, _HEAD_BYTES))


def demuxer_of(head: bytes) -> str | None:
    """Return FFmpeg's name of the container whose first bytes are `head`, or None.

    "webp" for WebP files. None for unknown containers.
    """
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WEBP"):
        return "avi" if head[8:12] == b"AVI " else "webp"
    if head[4:8] == b"ftyp" or (head[4:8] in _OLD_QUICKTIME and not head[0]):
        return "mov"
    if head[:_HEAD_BYTES:TS_PACKET] == bytes([TS_SYNC] * TS_TOGETHER):
        return "mpegts"
    names = {EBML: "matroska", ASF: "asf", MXF: "mxf", PNG: "apng", b"FLV\x01": "flv", b"GIF89a": "gif", b"OggS": "ogg"}
    return next((name for magic, name in names.items() if head.startswith(magic)), None)
