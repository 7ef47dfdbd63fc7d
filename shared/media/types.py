"""Kinds of file by their first bytes, and what they are called; without the libraries that open them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """What a kind of file is called on the web and on disk."""

    content_type: str
    suffix: str


# Pillow's names of the still image formats.
IMAGES: Mapping[str, FileType] = {
    "PNG": FileType("image/png", ".png"),
    "JPEG": FileType("image/jpeg", ".jpg"),
    "WEBP": FileType("image/webp", ".webp"),
    "TIFF": FileType("image/tiff", ".tif"),
    "BMP": FileType("image/bmp", ".bmp"),
}

PICTURES = FileType("application/zip", ".zip")
"""Many still images in one file."""

_STARTS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
}


def picture_type(head: bytes) -> FileType | None:
    """The type of a still image that begins with `head` (16 bytes or more); None for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return IMAGES["WEBP"]
    return next((IMAGES[name] for start, name in _STARTS.items() if head.startswith(start)), None)


def is_image(head: bytes) -> bool:
    """Whether a file that begins with `head` (16 bytes or more) is a still image of a kind in IMAGES."""
    return picture_type(head) is not None


def is_zip(head: bytes) -> bool:
    """Whether a file begins as a zip file does, one without a file in it too."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
