"""Recognition of containers by their first bytes."""

from typing import BinaryIO

ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
EBML = b"\x1a\x45\xdf\xa3"
MXF = bytes.fromhex("060e2b34020501010d01020101") + b"\x02"
PNG = b"\x89PNG\r\n\x1a\n"
TS_SYNC, TS_PACKET, TS_TOGETHER = 0x47, 188, 3
"""First byte and length of packets of MPEG-TS, and how many of them tell a stream from other data."""
_HEAD_BYTES = TS_PACKET * (TS_TOGETHER - 1) + 1


def bytes_at(file: BinaryIO, place: int, count: int) -> bytes:
    """Read up to `count` bytes of a file from byte offset `place` on.

    None are beyond the end, also where `place` is too large for any file, as the lengths in damaged files are.
    """
    try:
        file.seek(place)
    except (OSError, ValueError, OverflowError):  # each file system has a farthest place of its own
        return b""
    return file.read(count)


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
    if head[4:8] == b"ftyp":
        return "mov"
    if head[:_HEAD_BYTES:TS_PACKET] == bytes([TS_SYNC] * TS_TOGETHER):
        return "mpegts"
    known = {EBML: "matroska", ASF: "asf", MXF: "mxf", PNG: "apng", b"FLV\x01": "flv", b"GIF89a": "gif", b"OggS": "ogg"}
    return next((name for magic, name in known.items() if head.startswith(magic)), None)
