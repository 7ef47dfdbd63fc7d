"""Colour tags (ITU-T H.273): names, numbers, and defaults for untagged files."""

from collections.abc import Mapping
from typing import Any

from shared.media_info import ColorInfo

PRIMARIES: Mapping[int, str] = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFERS: Mapping[int, str] = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
MATRICES: Mapping[int, str] = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc", 10: "bt2020c",
    14: "ictcp",
}  # fmt: skip
RANGES: Mapping[int, str] = {1: "tv", 2: "pc"}

BT709 = ColorInfo(primaries="bt709", transfer="bt709", matrix="bt709", range="tv")

MATTE = ColorInfo(primaries="bt709", transfer="bt709", matrix="bt709", range="pc")
"""Colour tags of a gray video that is a matte. They state full range, so that luma is the matte's value."""

# swscale's matrix numbers (SWS_CS_*), which differ from those of H.273.
_SWS_MATRICES: Mapping[str, int] = {
    "bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 5, "smpte240m": 7, "bt2020nc": 9, "bt2020c": 9,
}  # fmt: skip


def tags_of(source: Any, *, pixel_format: str | None = None) -> ColorInfo:
    """Read the colour tags of a PyAV frame or codec context.

    The old `yuvj` formats are full range even without a tag.
    """
    span = RANGES.get(source.color_range)
    if span is None and pixel_format is not None and pixel_format.startswith("yuvj"):
        span = "pc"
    return ColorInfo(
        primaries=PRIMARIES.get(source.color_primaries),
        transfer=TRANSFERS.get(source.color_trc),
        matrix=MATRICES.get(source.colorspace),
        range=span,
    )


def number(table: Mapping[int, str], name: str | None) -> int:
    """Look up the H.273 number of the tag `name` in `table`.

    2 (unspecified) for None.
    """
    if name is None:
        return 2
    return next(key for key, value in table.items() if value == name)


def range_number(name: str | None) -> int:
    """Return FFmpeg's number for the colour range `name`.

    0 (unspecified) for None.
    """
    return 0 if name is None else number(RANGES, name)


def matrix_or_guess(color: ColorInfo, width: int, height: int) -> str:
    """Return a picture's colour matrix by name; guess it without a tag.

    The guess is BT.601 up to 1024x576 pixels, BT.709 above. The number of pixels decides, so that turning a picture does not change its
    colours.
    """
    if color.matrix is not None and color.matrix in _SWS_MATRICES:
        return color.matrix
    return "bt709" if width * height > 1024 * 576 else "smpte170m"


def sws_matrix(name: str) -> int:
    """Return the number that swscale, FFmpeg's scaler, has for a colour matrix."""
    return _SWS_MATRICES[name]


def apply_tags(target: Any, color: ColorInfo) -> None:
    """Set the colour tags of a PyAV frame or codec context."""
    target.color_primaries = number(PRIMARIES, color.primaries)
    target.color_trc = number(TRANSFERS, color.transfer)
    target.colorspace = number(MATRICES, color.matrix)
    target.color_range = range_number(color.range)
