"""File types, recognised by a file's first bytes.

Needs no imaging library.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """A media type and its file suffix."""

    content_type: str
    suffix: str


IMAGES: Mapping[str, FileType] = {
    "PNG": FileType("image/png", ".png"),
    "JPEG": FileType("image/jpeg", ".jpg"),
    "WEBP": FileType("image/webp", ".webp"),
    "TIFF": FileType("image/tiff", ".tif"),
    "BMP": FileType("image/bmp", ".bmp"),
    "HEIF": FileType("image/heic", ".heic"),
    "AVIF": FileType("image/avif", ".avif"),
}
"""File types of still images, by Pillow's name of the format."""

PICTURES = FileType("application/zip", ".zip")
"""File type of a zip file with many still images."""

MP4 = FileType("video/mp4", ".mp4")
QUICKTIME = FileType("video/quicktime", ".mov")
MATROSKA = FileType("video/x-matroska", ".mkv")
WEBM = FileType("video/webm", ".webm")

# Demuxers of self-contained video files. None of them opens a second file or a URL: playlists (hls, dash, concat, imf, ...),
# image sequences, subtitle scripts and devices are not here, so that a file of that content is refused whatever its name is.
DEMUXERS: Mapping[str, FileType] = {
    "mov": MP4,
    "matroska": MATROSKA,
    "avi": FileType("video/x-msvideo", ".avi"),
    "mpegts": FileType("video/mp2t", ".ts"),
    "mpeg": FileType("video/mpeg", ".mpg"),
    "flv": FileType("video/x-flv", ".flv"),
    "asf": FileType("video/x-ms-wmv", ".wmv"),
    "ogg": FileType("video/ogg", ".ogv"),
    "mxf": FileType("application/mxf", ".mxf"),
    "gif": FileType("image/gif", ".gif"),
    "apng": FileType("image/png", ".png"),
}

VIDEO_TYPES = frozenset({*DEMUXERS.values(), QUICKTIME, WEBM, IMAGES["WEBP"]})
"""All file types of videos and animations."""

_STARTS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
}
"""First bytes of a file -> format of all files that begin with them."""

_BRANDS = {b"avif": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"heim": "HEIF", b"heis": "HEIF"}
"""Brands of files with still images in the ISO container (ISO/IEC 23008-12). Files of image sequences have others."""
_GENERAL_BRANDS = (b"mif1", b"mif2", b"miaf")
"""Brands that stand for a still image of any codec. The file's further brands name the codec."""

HEAD_BYTES = 64
"""Number of first bytes that are enough to recognise a file."""


def picture_type(head: bytes) -> FileType | None:
    """Return the type of a still image; None for other files.

    `head`: the first HEAD_BYTES or more.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return IMAGES["WEBP"]
    if head[4:8] == b"ftyp":
        return _iso_type(head)
    return next((IMAGES[name] for start, name in _STARTS.items() if head.startswith(start)), None)


def _iso_type(head: bytes) -> FileType | None:
    """Return the type of a still image in the ISO base media format.

    The file's brands decide. None for other files.
    """
    brand, end = head[8:12], min(int.from_bytes(head[:4], "big"), len(head))
    if brand in _GENERAL_BRANDS:
        further = (head[place : place + 4] for place in range(16, end - 3, 4))
        brand = next((name for name in further if name in _BRANDS), brand)
    return IMAGES[_BRANDS[brand]] if brand in _BRANDS else None


def is_image(head: bytes) -> bool:
    """Check whether a file is a supported still image.

    `head`: at least the first HEAD_BYTES of the file.
    """
    return picture_type(head) is not None


def is_zip(head: bytes) -> bool:
    """Check whether a file is a zip file, including an empty one."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
