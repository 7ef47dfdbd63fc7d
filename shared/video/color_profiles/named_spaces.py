"""Colour spaces that picture files name without an embedded ICC profile.

Names come from Exif, from PNG's chunks, or from code points (ITU-T H.273).
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.video.color_profiles import heif_boxes
from shared.video.color_profiles.icc_profile import D65, Curve, RgbSpace, Xy

_EXIF, _INTEROPERABILITY = 0x8769, 0xA005
_COLOR_SPACE, _INDEX = 0xA001, 1
_ADOBE_RGB, _UNCALIBRATED, _ADOBE_INDEX = 2, 0xFFFF, "R03"

_SDR_WHITE_NITS = 203.0
"""Luminance of white in HDR pictures (ITU-R BT.2408)."""
_PEAK_NITS = 1000.0


def _gamma(exponent: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values**exponent)


def _srgb(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values


def _pq(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decode PQ (SMPTE ST 2084) to light from 0 to 1; compress highlights."""
    root = values ** (1 / 78.84375)
    return _compressed(10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125))


def _hlg(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decode HLG (ARIB STD-B67) to light from 0 to 1; compress highlights.

    The display has a peak of 1000 cd/m2.
    """
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    return _compressed(_PEAK_NITS * scene**1.2)


def _compressed(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale luminance in cd/m2 to 0..1, and compress highlights.

    The peak, _PEAK_NITS, becomes 1. Source: Reinhard et al., 2002, with a white point.
    """
    light = nits / _SDR_WHITE_NITS
    return light * (1 + light / (_PEAK_NITS / _SDR_WHITE_NITS) ** 2) / (1 + light)


_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_DCI_WHITE: Xy = (0.314, 0.351)

_PRIMARIES: dict[int, tuple[Xy, tuple[Xy, Xy, Xy]]] = {
    1: (D65, _BT709),
    9: (D65, _BT2020),
    11: (_DCI_WHITE, _P3),
    12: (D65, _P3),
}
"""Code point of H.273 -> white and primaries."""

_CURVES: dict[int, Curve] = {
    1: _srgb,
    6: _srgb,
    13: _srgb,
    14: _srgb,
    15: _srgb,
    4: partial(_gamma, 2.2),
    5: partial(_gamma, 2.8),
    8: _linear,
    16: _pq,
    17: partial(_gamma, 2.6),
    18: _hlg,
}
"""Code point of H.273 -> curve.

BT.709 and its relatives define curves of cameras. Pictures with them are made for sRGB displays, so they get the sRGB curve.
"""

ADOBE_RGB = RgbSpace(white=D65, red=_ADOBE[0], green=_ADOBE[1], blue=_ADOBE[2], curve=partial(_gamma, 563 / 256))


def named_space(image: Image.Image, head: bytes) -> RgbSpace | None:
    """Return the colour space that a file without an ICC profile names, or None.

    None for sRGB and if the file does not name one. `head`: the file's first bytes, with all that stands before the pixels.
    """
    if (codes := _code_points(image.format, head)) is not None:
        return _coded(*codes)
    if image.format == "PNG":
        return None if "srgb" in image.info else _measured(image.info.get("chromaticity"), image.info.get("gamma"))
    return ADOBE_RGB if _exif_says_adobe(image) else None


def _code_points(format: str | None, head: bytes) -> tuple[int, int] | None:
    """Return the code points of a file's primaries and curve (ITU-T H.273).

    They are read from PNG, AVIF and HEIC files; None for other files.
    """
    if format == "PNG":
        return next(((data[0], data[1]) for kind, data in _png_chunks(head) if kind == b"cICP" and len(data) >= 2), None)
    return heif_boxes.code_points(head) if format in ("AVIF", "HEIF") else None


def _png_chunks(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and data of each PNG chunk before the pixels.

    `head`: the file's first bytes. The data of a last chunk may be incomplete. Source: PNG specification, 5.3.
    """
    place = 8
    while place + 8 <= len(head) and (kind := head[place + 4 : place + 8]) != b"IDAT":
        length = int.from_bytes(head[place : place + 4], "big")
        yield kind, head[place + 8 : place + 8 + length]
        place += length + 12


def _coded(primaries: int, transfer: int) -> RgbSpace | None:
    white, (red, green, blue) = _PRIMARIES.get(primaries, _PRIMARIES[1])
    curve = _CURVES.get(transfer, _srgb)
    if primaries not in (9, 11, 12) and curve is _srgb:
        return None
    return RgbSpace(white=white, red=red, green=green, blue=blue, curve=curve)


def _measured(chromaticity: tuple[float, ...] | None, gamma: float | None) -> RgbSpace | None:
    """Return the colour space that a PNG's chunks cHRM and gAMA describe, or None.

    cHRM lists white, red, green and blue. None also for sRGB.
    """
    if not gamma and not chromaticity:
        return None
    xy = chromaticity or (*D65, *_BT709[0], *_BT709[1], *_BT709[2])
    if len(xy) != 8 or any(not 0 < value < 1 for value in xy):
        return None
    # Programs write 1 / 2.2 for sRGB, whose curve differs a little in the shadows.
    like_srgb = not gamma or abs(gamma - 1 / 2.2) < 0.005
    if like_srgb and max(abs(a - b) for a, b in zip(xy, (*D65, *_BT709[0], *_BT709[1], *_BT709[2]), strict=True)) < 0.005:
        return None
    curve = _srgb if not gamma or (like_srgb and not chromaticity) else partial(_gamma, 1 / gamma)
    white, red, green, blue = zip(xy[::2], xy[1::2], strict=True)
    return RgbSpace(white=white, red=red, green=green, blue=blue, curve=curve)


def _exif_says_adobe(image: Image.Image) -> bool:
    """Return whether a picture's Exif data names Adobe RGB as its colour space.

    Cameras name it without embedding a profile (DCF 2.0).
    """
    try:
        exif = image.getexif()
        space = exif.get_ifd(_EXIF).get(_COLOR_SPACE)
        index = exif.get_ifd(_INTEROPERABILITY).get(_INDEX, "")
    except Exception:  # damaged Exif data raises all sorts of errors; the picture itself is fine
        return False
    index = index.decode("latin-1") if isinstance(index, bytes) else str(index)
    return bool(space == _ADOBE_RGB or (space == _UNCALIBRATED and index.startswith(_ADOBE_INDEX)))
