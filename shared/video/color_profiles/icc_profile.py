"""Creation of ICC profiles from a colour space's primaries and curve.

For files that name their colour space without a profile.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CURVE_POINTS = 4096
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])
"""XYZ of the white of the profile connection space."""

Xy = tuple[float, float]
Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Converts coded values, 0 to 1, to linear light, 0 to 1."""

D65: Xy = (0.3127, 0.3290)


@dataclass(frozen=True, slots=True, kw_only=True)
class RgbSpace:
    """An RGB colour space: its white, its primaries and its curve.

    `white`, `red`, `green`, `blue`: CIE xy of its white and primaries; `curve`: from coded values to linear light.
    """

    white: Xy
    red: Xy
    green: Xy
    blue: Xy
    curve: Curve


def icc_profile(space: RgbSpace) -> bytes:
    """Encode a colour space as a matrix-and-curve ICC profile.

    Version 2.4 (ICC.1:2001-04). Raises ValueError for primaries that span no space.
    """
    primaries = np.array([_xyz(space.red), _xyz(space.green), _xyz(space.blue)]).T
    white = _xyz(space.white)
    try:
        matrix = primaries * np.linalg.solve(primaries, white)
        adapted = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white)) @ _BRADFORD @ matrix
    except np.linalg.LinAlgError as error:
        raise ValueError("the primaries span no colour space") from error
    if not np.isfinite(adapted).all() or np.abs(adapted).max() > 100:
        raise ValueError("the primaries span no colour space")
    values = np.clip(space.curve(np.linspace(0, 1, _CURVE_POINTS)), 0, 1)
    curve = b"curv" + struct.pack(">II", 0, _CURVE_POINTS) + np.rint(values * 65535).astype(">u2").tobytes()
    name = b"RGB\0"
    return _file(
        {
            b"desc": b"desc" + struct.pack(">II", 0, len(name)) + name + bytes(78),
            b"wtpt": _xyz_tag(_D50),
            b"rXYZ": _xyz_tag(adapted[:, 0]),
            b"gXYZ": _xyz_tag(adapted[:, 1]),
            b"bXYZ": _xyz_tag(adapted[:, 2]),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        }
    )


def _xyz(xy: Xy) -> NDArray[np.float64]:
    """Convert a chromaticity to XYZ at Y = 1.

    Raises ValueError for y of 0.
    """
    x, y = xy
    if y <= 0:
        raise ValueError("a primary has no luminance")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz_tag(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _file(tags: dict[bytes, bytes]) -> bytes:
    """Assemble an ICC profile from its tags.

    Equal tags are stored once.
    """
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    stored: dict[bytes, int] = {}
    for name, data in tags.items():
        if data not in stored:
            stored[data] = offset + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", stored[data], len(data))
    size = offset + len(body)
    header = struct.pack(">I4xI4s4s4s", size, 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
