"""Holes filled from a pyramid of means (pull-push)."""

import cv2
import numpy as np
from numpy.typing import NDArray

_KNOWN = 1e-3


def pull_push(picture: NDArray[np.float32], known: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return `picture` with its unknown pixels filled smoothly.

    `picture`: float32 (height, width, channels); `known`: uint8 (height, width), not 0 where the picture is known, and those pixels stay
    as they are. Known pixels are averaged down until no hole is left (pull), and holes are filled from there (push): Gortler et al., The
    Lumigraph, 1996. With nothing known the picture is 0.
    """
    weight = (known > 0).astype(np.float32)
    if weight.all():
        return picture
    values = picture * weight[..., None]
    if min(weight.shape) <= 2 or not weight.any():
        mean = values.reshape(-1, picture.shape[2]).sum(axis=0) / max(float(weight.sum()), 1e-6)
        return np.where(weight[..., None] > 0, picture, mean).astype(np.float32)
    size = (weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2
    small_weight = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    small = small / np.maximum(small_weight, 1e-6)[..., None]
    small = pull_push(np.asarray(small, np.float32), (small_weight > _KNOWN).astype(np.uint8))
    large = cv2.resize(small, weight.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(picture.shape)
    return np.where(weight[..., None] > 0, picture, large).astype(np.float32)


def fill_smooth(picture: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill holes of an RGB picture, uint8 (height, width, 3); `hole`: uint8 (height, width), 255 where there is one.

    Only the surroundings of the holes are looked at: what is farther away than a quarter of their extent hardly counts.
    """
    place = _surroundings(hole)
    if place is None:
        return picture
    filled = picture.copy()
    part = pull_push(picture[place].astype(np.float32), (hole[place] == 0).astype(np.uint8))
    filled[place] = np.clip(np.rint(part), 0, 255).astype(np.uint8)
    return filled


def _surroundings(hole: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    """Return the rows and columns of all holes with a margin of a quarter of their extent; None if there are none."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    if not len(rows):
        return None
    sides = []
    for places, length in ((rows, hole.shape[0]), (columns, hole.shape[1])):
        first, last = int(places[0]), int(places[-1]) + 1
        margin = max((last - first) // 4, 16)
        sides.append(slice(max(first - margin, 0), min(last + margin, length)))
    return sides[0], sides[1]
