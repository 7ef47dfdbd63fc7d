"""Recovery of the subject's colours in the soft edge of a matte."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_CLEAR, _OPAQUE = 3, 252
"""Alpha above which a pixel shows some of the subject, and below which some of the background."""
_LEAST_ALPHA = 0.1
_REDUCED = 4


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Pixels of a plane that mix subject and background.

    `indices`: flat indices of the pixels. `alpha`: their alpha, float32 from 0 to 1.
    """

    indices: NDArray[np.intp]
    alpha: NDArray[np.float32]


def edge_of(alpha: Plane) -> Edge:
    """Find the soft edge of alpha, uint8 (height, width)."""
    indices = np.flatnonzero((alpha > _CLEAR) & (alpha < _OPAQUE))
    return Edge(indices, alpha.reshape(-1)[indices] * np.float32(1 / 255))


def with_clean_plate(plane: Plane, plate: Plane, edge: Edge) -> Plane:
    """Compute the subject's colours in the soft edge from the clean plate.

    `plane` and `plate`: uint8 (height, width), aligned. For each pixel, plane = subject * alpha + plate * (1 - alpha) is solved for the
    subject.
    """
    if not len(edge.indices):
        return plane
    mixed, behind = (source.reshape(-1)[edge.indices].astype(np.float32) for source in (plane, plate))
    subject = behind + (mixed - behind) / np.maximum(edge.alpha, _LEAST_ALPHA)
    return _put(plane, edge, subject)


def estimated(plane: Plane, alpha: Plane, edge: Edge, reach: int) -> Plane:
    """Estimate the subject's colours in the soft edge by blur fusion.

    `plane`, `alpha`: uint8 (height, width); `reach`: distance in pixels from which colours are gathered. The method is that of Forte,
    Approximate Fast Foreground Colour Estimation, 2021, with two changes: it runs on Y, U and V, in which mixing is as linear as in R, G
    and B, and the blurred estimates are made at a quarter of the size, because they are smooth.
    """
    if not len(edge.indices):
        return plane
    height, width = plane.shape
    size = max(width // _REDUCED, 1), max(height // _REDUCED, 1)
    small: NDArray[Any] = cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(1 / 255)
    subject: NDArray[Any] = small
    behind: NDArray[Any] = small
    for radius in (max(10 * reach // _REDUCED, 2), max(reach // _REDUCED, 1)):
        kernel = (2 * radius + 1, 2 * radius + 1)
        covered = cv2.blur(weight, kernel)
        subject_mean = cv2.blur(subject * weight, kernel) / np.maximum(covered, 1e-4)
        behind_mean = cv2.blur(behind * (1 - weight), kernel) / np.maximum(1 - covered, 1e-4)
        error = small - weight * subject_mean - (1 - weight) * behind_mean
        subject, behind = np.clip(subject_mean + weight * error, 0, 255), behind_mean
    rows, columns = np.divmod(edge.indices, width)
    across, down = np.minimum(columns * size[0] // width, size[0] - 1), np.minimum(rows * size[1] // height, size[1] - 1)
    inside, outside = subject_mean[down, across], behind_mean[down, across]
    mixed = plane.reshape(-1)[edge.indices].astype(np.float32)
    return _put(plane, edge, inside + edge.alpha * (mixed - edge.alpha * inside - (1 - edge.alpha) * outside))


def _put(plane: Plane, edge: Edge, values: NDArray[Any]) -> Plane:
    clean = plane.copy()
    clean.reshape(-1)[edge.indices] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return clean
