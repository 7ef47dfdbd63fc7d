"""Recovery of the subject's colours in a matte's soft edge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_CLEAR, _OPAQUE = 3, 252
"""Alpha, 0 to 255, of pixels outside the soft edge. Up to _CLEAR a pixel shows only background, from _OPAQUE on only the subject."""
_MIN_ALPHA = 0.1  # minimum divisor, 0 to 1, when a colour is divided by alpha; a smaller divisor would amplify noise
_REDUCED = 4  # divisor of width and height for the blurred estimates


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Soft-edge pixels of a plane, which mix subject and background.

    `indices`: flat indices of the pixels. `alpha`: their alpha, float32 from 0 to 1.
    """

    indices: NDArray[np.intp]
    alpha: NDArray[np.float32]


def edge_of(alpha: Plane) -> Edge:
    """Find the soft edge of an alpha plane, uint8 (height, width)."""
    # For values below the range, the difference wraps around to large values.
    indices = np.flatnonzero(alpha - np.uint8(_CLEAR + 1) < _OPAQUE - _CLEAR - 1)
    return Edge(indices, alpha.reshape(-1)[indices] * np.float32(1 / 255))


def with_clean_plate(plane: Plane, plate: Plane, edge: Edge) -> Plane:
    """Recover edge colours by subtracting the clean plate.

    `plane` and `plate`: uint8 (height, width), aligned. For each pixel, plane = subject * alpha + plate * (1 - alpha) is solved for the
    subject.
    """
    if not len(edge.indices):
        return plane
    mixed, behind = (source.reshape(-1)[edge.indices].astype(np.float32) for source in (plane, plate))
    subject = behind + (mixed - behind) / np.maximum(edge.alpha, _MIN_ALPHA)
    return _put(plane, edge, subject)


def estimated(planes: Sequence[Plane], alpha: Plane, edge: Edge, reach: int) -> list[Plane]:
    """Estimate edge colours by blur fusion, without a clean plate.

    `planes`, `alpha`: uint8 (height, width); `reach`: distance in pixels from which colours are gathered. The method is that of Forte,
    Approximate Fast Foreground Colour Estimation, 2021, with two changes: it runs on Y, U and V, in which mixing is as linear as in R, G
    and B, and the blurred estimates are made at a quarter of the size, because they are smooth.
    """
    if not len(edge.indices):
        return list(planes)
    height, width = alpha.shape
    size = max(width // _REDUCED, 1), max(height // _REDUCED, 1)
    rows, columns = np.divmod(edge.indices, width)
    across, down = np.minimum(columns * size[0] // width, size[0] - 1), np.minimum(rows * size[1] // height, size[1] - 1)
    radii = max(10 * reach // _REDUCED, 2), max(reach // _REDUCED, 1)
    # The blurs are computed only around the edge.
    top, left = max(int(down.min()) - sum(radii), 0), max(int(across.min()) - sum(radii), 0)
    place = slice(top, int(down.max()) + sum(radii) + 1), slice(left, int(across.max()) + sum(radii) + 1)
    weight = _small_part(alpha, size, place) * np.float32(1 / 255)
    rest = 1 - weight
    kernels = [(2 * radius + 1, 2 * radius + 1) for radius in radii]
    gathered = [1 / np.maximum(cv2.blur(weight, kernel), 1e-4) for kernel in kernels]
    left_over = [1 / np.maximum(cv2.blur(rest, kernel), 1e-4) for kernel in kernels]
    clean = []
    for plane in planes:
        small = _small_part(plane, size, place)
        subject: NDArray[Any] = small
        behind: NDArray[Any] = small
        for kernel, inner, outer in zip(kernels, gathered, left_over, strict=True):
            subject_mean = cv2.blur(subject * weight, kernel) * inner
            behind_mean = cv2.blur(behind * rest, kernel) * outer
            error = small - weight * subject_mean - rest * behind_mean
            subject, behind = np.clip(subject_mean + weight * error, 0, 255), behind_mean
        inside, outside = subject_mean[down - top, across - left], behind_mean[down - top, across - left]
        mixed = plane.reshape(-1)[edge.indices].astype(np.float32)
        clean.append(_put(plane, edge, inside + edge.alpha * (mixed - edge.alpha * inside - (1 - edge.alpha) * outside)))
    return clean


def _small_part(plane: Plane, size: tuple[int, int], place: tuple[slice, slice]) -> NDArray[Any]:
    """Shrink a plane to `size`, and return a part of it, float32.

    `place`: rows and columns of the part. `size`: (width, height).
    """
    if plane.shape != (_REDUCED * size[1], _REDUCED * size[0]):
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA)[place], np.float32)
    rows, columns = (slice(_REDUCED * axis.start, _REDUCED * axis.stop) for axis in place)
    part = plane[rows, columns]
    shrunk = cv2.resize(part, (part.shape[1] // _REDUCED, part.shape[0] // _REDUCED), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.float32)


def _put(plane: Plane, edge: Edge, values: NDArray[Any]) -> Plane:
    clean = plane.copy()
    clean.reshape(-1)[edge.indices] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return clean
