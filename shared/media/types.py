"""File types recognised by their first bytes.

Needs no imaging library.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """A media type and the suffix of its files."""

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
    """Return the type of a still image; None for other files.

    `head`: the first 16 bytes or more.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return IMAGES["WEBP"]
    return next((IMAGES[name] for start, name in _STARTS.items() if head.startswith(start)), None)


def is_image(head: bytes) -> bool:
    """Check for a still image of a kind in IMAGES.

    `head`: the first 16 bytes or more.
    """
    return picture_type(head) is not None


def is_zip(head: bytes) -> bool:
    """Check the first bytes for a zip file, also an empty one."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
