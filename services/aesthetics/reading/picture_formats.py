"""Table of file formats for written pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import cv2
from pydantic import BeforeValidator, Field

from shared.choices import OneOf
from shared.declarations.vocabulary import Group
from shared.operation import Params, form


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFormat:
    """A picture file format, as a row of `PICTURE_FORMATS`."""

    name: str
    """Name of the format and its file suffix."""
    aliases: tuple[str, ...]
    """Names of the format in other programs."""
    max_side: int | None
    """Largest width or height in pixels; None without a limit."""
    options: Callable[[int], list[int]]
    """`options(quality)`: options for OpenCV's encoder."""


def _jpeg_options(quality: int) -> list[int]:
    return [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


def _png_options(_quality: int) -> list[int]:
    return [cv2.IMWRITE_PNG_COMPRESSION, 3]


def _webp_options(quality: int) -> list[int]:
    return [cv2.IMWRITE_WEBP_QUALITY, quality]


PICTURE_FORMATS = {
    row.name: row
    for row in (
        PictureFormat(name="jpg", aliases=("jpeg", ".jpeg", ".jpg"), max_side=65_500, options=_jpeg_options),
        PictureFormat(name="png", aliases=(".png",), max_side=None, options=_png_options),
        PictureFormat(name="webp", aliases=(".webp",), max_side=16_383, options=_webp_options),
    )
}
"""Name -> format, in the order of the API reference."""

_ALIASES = {alias: row.name for row in PICTURE_FORMATS.values() for alias in row.aliases}


def _plain_name(value: Any) -> Any:
    """Convert a format's alias, such as `.JPG`, to its name."""
    return _ALIASES.get(value.lower(), value.lower()) if isinstance(value, str) else value


FormatName = Annotated[str, OneOf(PICTURE_FORMATS), BeforeValidator(_plain_name)]


def quality_field(group: Group) -> Any:
    """Return the field of the files' quality, in a group of the form."""
    return Field(
        95,
        ge=1,
        le=100,
        description="Image quality of JPEG and WebP files, from 1 (smallest file) to 100 (best).",
        title="Quality",
        json_schema_extra=form(group),
    )


class PictureParams(Params):
    """Params of the file format of written pictures."""

    format: FormatName = Field(
        "jpg",
        description="File format of the pictures.",
        title="File format",
        json_schema_extra=form("basics", labels={"jpg": "JPEG", "png": "PNG", "webp": "WebP"}),
    )
    quality: int = quality_field("more")
