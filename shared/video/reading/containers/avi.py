"""The layout of AVI files (Microsoft's RIFF, and OpenDML for long files)."""

from typing import BinaryIO

from shared.video.reading.containers.beginnings import bytes_at

_MOST_CHUNKS = 100_000
_HEAD_BYTES = 64 * 1024
_MOST_TRACKS = 100


def end(file: BinaryIO, begin: int) -> int | None:
    """Return where the AVI file at `begin` ends (byte offset), or None.

    That is behind its RIFF chunks; None if a chunk states no length. The first chunk is of the type AVI; those of the type AVIX continue a
    long file.
    """
    place = begin
    for _ in range(_MOST_CHUNKS):
        head = bytes_at(file, place, 12)
        if head[:4] != b"RIFF" or (place > begin and head[8:] != b"AVIX"):
            return place if place > begin else None
        length = int.from_bytes(head[4:8], "little")
        if not length:
            return None
        place += 8 + length + length % 2
    return None


def coding(file: BinaryIO, begin: int) -> list[bytes]:
    """Return the formats of an AVI file's first 100 tracks, as bytes.

    They state the codec of pictures, and the codec, channels and rate of sound.
    """
    # RIFF, length, AVI, LIST, length of the list of headers.
    length = int.from_bytes(bytes_at(file, begin + 16, 4), "little")
    # A recording that was not finished states no length.
    stated = int.from_bytes(bytes_at(file, begin + 4, 4), "little")
    most = min(max(stated - 12, 0), _HEAD_BYTES) if stated else _HEAD_BYTES
    data = bytes_at(file, begin + 20, min(length, most))
    formats: list[bytes] = []
    place = data.find(b"strh")
    while place >= 0 and len(formats) < _MOST_TRACKS:
        kind, format_chunk = data[place + 8 : place + 12], data.find(b"strf", place)
        if format_chunk < 0:
            break
        formats.append(
            kind + (data[format_chunk + 24 : format_chunk + 28] if kind == b"vids" else data[format_chunk + 8 : format_chunk + 16])
        )
        place = data.find(b"strh", format_chunk)
    return formats
