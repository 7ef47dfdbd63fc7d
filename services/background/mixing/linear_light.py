"""Mixing of soft edges in linear light.

The rest of the picture is mixed in signal values.
"""

import numpy as np
from numpy.typing import NDArray

from services.background.mixing.edge_colors import Edge

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
Floats = NDArray[np.float32]

_GAMMA = 2.4
_KR_KB = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt470bg": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}


def mixed_linearly(mixed: Planes, foreground: Planes, background: Planes, alphas: tuple[Plane, Plane], matrix: str) -> Planes:
    """Mix the soft edge of the composite `mixed` again, in linear light.

    `mixed`: the composite of signal values; `alphas`: for luma and for chroma; `matrix`: FFmpeg's name of the colour matrix. Planes are in
    limited range. Outside of the soft edge both ways of mixing agree, so `mixed` stays. Light is the signal to the power of 2.4
    (ITU-R BT.1886). A luma pixel is converted with the chroma sample at its place.
    """
    kr, kb = _KR_KB.get(matrix, _KR_KB["bt709"])
    luma_edge, chroma_edge = _mixed_pixels(alphas[0]), _mixed_pixels(alphas[1])
    luma = _luma(mixed[0], foreground, background, luma_edge, kr, kb)
    u, v = _chroma(mixed, foreground, background, chroma_edge, kr, kb)
    return luma, u, v


def _mixed_pixels(alpha: Plane) -> Edge:
    """Find the soft-edge pixels, whose alpha is neither 0 nor 255.

    Even an alpha of 1 counts: over black it is a tenth of the signal.
    """
    indices = np.flatnonzero((alpha > 0) & (alpha < 255))
    return Edge(indices, alpha.reshape(-1)[indices] * np.float32(1 / 255))


def _luma(plane: Plane, foreground: Planes, background: Planes, edge: Edge, kr: float, kb: float) -> Plane:
    width = plane.shape[1]
    rows, columns = np.divmod(edge.indices, width)
    light = _mixed_light(foreground, background, (rows, columns), (rows // 2, columns // 2), edge.alpha, kr, kb)
    result = plane.copy()
    result.reshape(-1)[edge.indices] = _levels(light @ np.array([kr, 1 - kr - kb, kb], np.float32) * 219 + 16)
    return result


def _chroma(mixed: Planes, foreground: Planes, background: Planes, edge: Edge, kr: float, kb: float) -> tuple[Plane, Plane]:
    half_width = mixed[1].shape[1]
    rows, columns = np.divmod(edge.indices, half_width)
    height, width = mixed[0].shape
    place = np.minimum(rows * 2, height - 1), np.minimum(columns * 2, width - 1)
    rgb = _mixed_light(foreground, background, place, (rows, columns), edge.alpha, kr, kb)
    luma = rgb @ np.array([kr, 1 - kr - kb, kb], np.float32)
    u, v = mixed[1].copy(), mixed[2].copy()
    u.reshape(-1)[edge.indices] = _levels((rgb[:, 2] - luma) / (2 * (1 - kb)) * 224 + 128)
    v.reshape(-1)[edge.indices] = _levels((rgb[:, 0] - luma) / (2 * (1 - kr)) * 224 + 128)
    return u, v


def _mixed_light(
    foreground: Planes,
    background: Planes,
    place: tuple[NDArray[np.intp], NDArray[np.intp]],
    chroma_place: tuple[NDArray[np.intp], NDArray[np.intp]],
    alpha: Floats,
    kr: float,
    kb: float,
) -> Floats:
    """Mix n pixels of a foreground and a background in linear light.

    Returns R, G, B signals, (n, 3) from 0 to 1.
    """
    weight = alpha[:, None]
    front, back = (_rgb(planes, place, chroma_place, kr, kb) ** _GAMMA for planes in (foreground, background))
    return np.asarray((front * weight + back * (1 - weight)) ** (1 / _GAMMA), np.float32)


def _rgb(
    planes: Planes,
    place: tuple[NDArray[np.intp], NDArray[np.intp]],
    chroma_place: tuple[NDArray[np.intp], NDArray[np.intp]],
    kr: float,
    kb: float,
) -> Floats:
    luma = (planes[0][place].astype(np.float32) - 16) / 219
    u, v = ((plane[chroma_place].astype(np.float32) - 128) / 224 for plane in planes[1:])
    red, blue = luma + 2 * (1 - kr) * v, luma + 2 * (1 - kb) * u
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return np.asarray(np.clip(np.stack([red, green, blue], axis=1), 0, 1), np.float32)


def _levels(values: Floats) -> Plane:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
