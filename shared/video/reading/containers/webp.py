"""The layout of WebP files."""

from typing import BinaryIO

from shared.video.reading.containers.beginnings import bytes_at


def end(file: BinaryIO, begin: int) -> int:
    """Return the end of the WebP file at `begin`, as a byte offset.

    It is the end of the file's RIFF chunk.
    """
    length = int.from_bytes(bytes_at(file, begin + 4, 4), "little")
    return begin + 8 + length + length % 2
