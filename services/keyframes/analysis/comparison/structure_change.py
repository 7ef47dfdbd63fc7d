"""Change of structure between pictures, whatever their brightness, contrast and tint."""

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.thumbnail_film import Planes

_QUIET = 2.0
"""Variance of a plain picture's noise, in squared grey levels."""
PLANE_WEIGHTS = np.array([1.0, 0.5, 0.5], np.float32)
"""Weights of Y, U and V. Chroma counts half, because its thumbnails show less detail."""


def structure_change(before: Planes, after: Planes) -> NDArray[np.float64]:
    """Measure the structure change of n pairs of thumbnails.

    `before`, `after`: (n, 3, 18, 32) uint8. Each plane of one picture is fitted to the other's by a gain and an offset. Returns the
    standard deviation of the remaining difference, in levels, (n,). Fades, pulsing backgrounds and settling exposure give values near 0, as
    do steps from one plain picture to another.
    """
    change = np.zeros(len(before))
    for plane, weight in enumerate(PLANE_WEIGHTS.tolist()):
        a, b = (pictures[:, plane].reshape(len(before), -1).astype(np.float32) for pictures in (before, after))
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        size = a.shape[1]
        a_variance, b_variance = np.einsum("ij,ij->i", a, a) / size, np.einsum("ij,ij->i", b, b) / size
        shared = np.square(np.einsum("ij,ij->i", a, b) / size)
        left = np.maximum(b_variance - shared / (a_variance + _QUIET), a_variance - shared / (b_variance + _QUIET))
        change += weight * np.sqrt(np.maximum(left - _QUIET, 0))
    return change
