"""Tone mapping from HDR (PQ or HLG) to BT.709, as a colour table.

Sources: ITU-R BT.2100-2 (the PQ and HLG curves, the HLG system gamma of 1.2), BT.2390-8 section 5.4.1 (the EETF that brings highlights down
without touching what lies below them), BT.2408 (203 cd/m2 is the white of a sheet of paper, and becomes about nine tenths of full scale
here), BT.2087 (the primaries), BT.1886 (the gamma of the screen). Departs from them in two ways: the EETF is applied to the largest of R,
G, B, so that hues stay, and colours outside of BT.709 are brought in towards their own gray instead of being clipped channel by channel.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POINTS = 33
_PEAK_NITS = 1000.0
_WHITE_NITS = 203.0
_BT2020_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593])
_BT709_LUMA = np.array([0.2126, 0.7152, 0.0722])


def pq_to_nits(signal: Floats) -> Floats:
    """Convert a PQ signal, 0 to 1, to luminance in cd/m2 (BT.2100 EOTF)."""
    power = np.power(np.clip(signal, 0, 1), 32 / 2523)
    nits: Floats = 10000 * np.power(np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power), 16384 / 2610)
    return nits


def nits_to_pq(nits: Floats) -> Floats:
    """Convert luminance in cd/m2 to a PQ signal, 0 to 1."""
    power = np.power(np.clip(nits, 0, 10000) / 10000, 2610 / 16384)
    return np.power((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power), 2523 / 32)


def hlg_to_nits(signal: Floats) -> Floats:
    """Convert an HLG signal (..., 3), 0 to 1, to light in cd/m2.

    BT.2100 EOTF, for a screen of 1000 cd/m2.
    """
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.clip(signal, 0, 1)
    scene = np.where(signal <= 0.5, signal * signal / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ _BT2020_LUMA
    nits: Floats = _PEAK_NITS * scene * np.power(np.maximum(luminance, 1e-9), 0.2)[..., None]
    return nits


def eetf(nits: Floats) -> Floats:
    """Compress luminances to at most 203 cd/m2 (BT.2390).

    Input goes up to 1000 cd/m2; luminances below the knee of the curve stay.
    """
    peak, target = (float(nits_to_pq(np.array(value))) for value in (_PEAK_NITS, _WHITE_NITS))
    e1 = np.clip(nits_to_pq(nits) / peak, 0, 1)
    top = target / peak
    knee = 1.5 * top - 0.5
    t = np.maximum(e1 - knee, 0) / (1 - knee)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * top
    return pq_to_nits(np.where(e1 < knee, e1, curve) * peak)


def to_bt709(signal: Floats, transfer: str) -> Floats:
    """Convert HDR pixels (BT.2020 R, G, B) to SDR pixels (BT.709 R, G, B).

    `signal`: (..., 3) from 0 to 1. `transfer`: smpte2084 or arib-std-b67.
    """
    nits = hlg_to_nits(signal) if transfer == "arib-std-b67" else pq_to_nits(signal)
    largest = nits.max(axis=-1, keepdims=True)
    light = nits * (eetf(largest) / np.maximum(largest, 1e-9)) / _WHITE_NITS
    rgb = light @ _BT2020_TO_BT709.T
    gray: Floats = np.clip(rgb @ _BT709_LUMA, 0, 1)[..., None]
    low, high = rgb.min(axis=-1, keepdims=True), rgb.max(axis=-1, keepdims=True)
    keep = np.minimum(
        np.where(low < 0, gray / np.maximum(gray - low, 1e-9), 1), np.where(high > 1, (1 - gray) / np.maximum(high - gray, 1e-9), 1)
    )
    coded: Floats = np.power(np.clip(gray + (rgb - gray) * np.clip(keep, 0, 1), 0, 1), 1 / 2.4)
    return coded


@contextmanager
def table_file(transfer: str) -> Iterator[str]:
    """Write the tone mapping of `transfer` to a temporary .cube file.

    Yields its path. FFmpeg's lut3d filter reads it.
    """
    axis = np.linspace(0, 1, _POINTS)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    table = to_bt709(np.stack([red, green, blue], axis=-1).reshape(-1, 3), transfer)
    handle, path = tempfile.mkstemp(suffix=".cube")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"LUT_3D_SIZE {_POINTS}\n")
            np.savetxt(file, table, fmt="%.6f")
        yield path
    finally:
        os.unlink(path)
