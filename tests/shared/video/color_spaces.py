"""Colour spaces of the tests, computed with numpy from published figures."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.video.color_profiles.icc_profile import D65, RgbSpace, Xy, icc_profile

Floats = NDArray[np.float64]

PATCHES = np.array(
    [(30, 180, 40), (200, 30, 30), (30, 50, 200), (220, 200, 40), (128, 128, 128), (250, 250, 250), (90, 60, 50), (40, 160, 170)], np.uint8
)
"""sRGB colours that every space here holds."""

_SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
D50: Xy = (0.34567, 0.35850)


@dataclass(frozen=True)
class Space:
    """An RGB space: white, primaries, and gamma (None: sRGB's curve)."""

    white: Xy
    primaries: tuple[Xy, Xy, Xy]
    gamma: float | None

    def coded(self, srgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Convert sRGB colours (..., 3) to values in this space."""
        linear = decoded(srgb / 255) @ (np.linalg.inv(_to_d50(self.white, self.primaries)) @ _to_d50(D65, _SRGB)).T
        linear = np.clip(linear, 0, 1)
        values = encoded(linear) if self.gamma is None else linear ** (1 / self.gamma)
        return np.rint(values * 255).astype(np.uint8)

    @property
    def profile(self) -> bytes:
        """Make an ICC profile of this space."""
        curve: Callable[[Floats], Floats] = decoded if self.gamma is None else lambda values: values**self.gamma
        red, green, blue = self.primaries
        return icc_profile(RgbSpace(white=self.white, red=red, green=green, blue=blue, curve=curve))


SPACES = {
    "AdobeRGB": Space(D65, ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256),
    "Display P3": Space(D65, ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), None),
    "ProPhoto": Space(D50, ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), 1.8),
}


def decoded(values: Floats) -> Floats:
    """Convert sRGB values to linear light, 0 to 1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(linear: Floats) -> Floats:
    """Convert linear light to sRGB values, 0 to 1."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def patches(colors: NDArray[np.uint8], side: int = 24) -> NDArray[np.uint8]:
    """Draw colours (n, channels) as a row of squares.

    Result: (side, n * side, channels).
    """
    return np.repeat(np.repeat(colors[None], side, axis=1), side, axis=0)


def measured(picture: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Return the median colour of each of `count` squares in a row."""
    height, side = picture.shape[0], picture.shape[1] // count
    middle = picture[height // 4 : -(height // 4)]
    return np.array([np.median(middle[:, n * side + side // 4 : (n + 1) * side - side // 4], axis=(0, 1)) for n in range(count)])


def ink(cmyk: Floats) -> Floats:
    """Convert ink amounts (..., 4) to sRGB, 0 to 1.

    An invented press prints them.
    """
    c, m, y, k = (cmyk[..., channel, None] for channel in range(4))
    paper = 1 - c * [0.95, 0.35, 0.1] * (1 - 0.2 * m)
    return np.clip(paper * (1 - m * [0.1, 0.9, 0.4]) * (1 - y * [0.02, 0.08, 0.85]) * (1 - 0.88 * k), 0, 1)


def cmyk_profile() -> bytes:
    """Make an ICC version 2 profile of the printing press that `ink` models.

    A table of 11 steps per ink into L*a*b*.
    """
    steps = 11
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, steps)] * 4, indexing="ij"), axis=-1)
    lab = _lab(decoded(ink(grid)) @ _to_d50(D65, _SRGB).T)
    table = np.rint(np.clip(np.stack([lab[..., 0] * 652.8, (lab[..., 1] + 128) * 256, (lab[..., 2] + 128) * 256], -1), 0, 65535))
    line = np.array([0, 65535], ">u2").tobytes()
    lut = b"mft2" + bytes(4) + bytes([4, 3, steps, 0]) + struct.pack(">9i", *(65536 * n for n in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut += struct.pack(">HH", 2, 2) + line * 4 + table.astype(">u2").tobytes() + line * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    desc = b"desc" + struct.pack(">II", 0, 4) + b"ink\0" + bytes(78)
    tags, body = b"", b""
    for name, data in ((b"desc", desc), (b"wtpt", white), (b"A2B0", lut)):
        tags += name + struct.pack(">II", 128 + 4 + 36 + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4xI4s4s4s12x4s", 168 + len(body), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    header = (header + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0")
    return header + struct.pack(">I", 3) + tags + body


def _to_d50(white: Xy, primaries: tuple[Xy, Xy, Xy]) -> Floats:
    """Return the matrix from linear RGB to XYZ, adapted to D50."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    target, source = (np.array((x / y, 1, (1 - x - y) / y)) for x, y in (D50, white))
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scaled = columns * np.linalg.solve(columns, source)
    return np.linalg.inv(cone) @ np.diag((cone @ target) / (cone @ source)) @ cone @ scaled


def _lab(xyz: Floats) -> Floats:
    ratio = xyz / (0.9642, 1.0, 0.8249)
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.stack([116 * root[..., 1] - 16, 500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])], -1)
