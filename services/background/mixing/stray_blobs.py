"""Removal of small detached blobs from a matte."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.mixing.over_operator import reached

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_REDUCED = 4  # divisor of width and height for finding blobs
_SOLID, _FAINT = 64, 4
"""Alpha, 0 to 255, of solid and of visible pixels. A pixel is visible above _FAINT, and solid above _SOLID."""


def without_stray_blobs(alpha: Plane, share: float) -> Plane:
    """Remove blobs that do not belong to the subject.

    `alpha`: uint8 (height, width). `share`: minimum area of a kept blob relative to the largest, 0 to 1; 0 keeps all blobs. Kept are solid
    blobs of that area, with the pixels connected to them, such as hair. Other solid blobs, specks and faint blobs become 0. Blobs are found
    at a quarter of the size, so pixels up to about 4 px from a kept blob stay. A matte without a solid blob is returned unchanged.
    """
    if share <= 0:
        return alpha
    place = _visible_place(alpha)
    part = alpha[place]
    subject = _subject(part, share)
    if subject is None:
        return alpha
    cleaned = np.zeros_like(alpha)
    cv2.min(part, subject, dst=cleaned[place])
    return cleaned


def _visible_place(alpha: Plane) -> tuple[slice, slice]:
    """Return the rows and columns that enclose all visible pixels, with a margin.

    The margin is two reduced pixels, and the bounds lie between reduced pixels. Returns the whole picture if its sides are no multiples of
    a reduced pixel.
    """
    height, width = alpha.shape
    everything = slice(0, height), slice(0, width)
    if height % _REDUCED or width % _REDUCED:
        return everything
    place = reached((alpha > _FAINT).view(np.uint8))
    if place is None:
        return everything
    rows, columns = (
        slice(max(axis.start // _REDUCED - 2, 0) * _REDUCED, min((axis.stop - 1) // _REDUCED + 3, length // _REDUCED) * _REDUCED)
        for axis, length in zip(place, alpha.shape, strict=True)
    )
    return rows, columns


def _subject(alpha: Plane, share: float) -> Plane | None:
    """Return a mask of the subject, 0 to 255.

    Returns None if no pixel is solid.
    """
    size = -(-alpha.shape[1] // _REDUCED), -(-alpha.shape[0] // _REDUCED)
    solid = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > _SOLID, np.bool_)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid.view(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    if len(area) < 2:
        return None
    subject = area >= share * area[1:].max()
    subject[0] = False
    solid_subject = subject[labels]
    attached = _enlarged(_connected(alpha, size, solid_subject))
    stray = _enlarged(_enlarged(solid & ~solid_subject)) & ~_enlarged(solid_subject)
    keep = np.where(attached & ~stray, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(keep, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _connected(alpha: Plane, size: tuple[int, int], core: Mask) -> Mask:
    """Return a mask of the visible blobs that overlap `core`.

    A reduced pixel is visible if any of its pixels is: a speck of one pixel is a blob.
    """
    _, visible = cv2.threshold(alpha, _FAINT, 255, cv2.THRESH_BINARY)
    count, labels = cv2.connectedComponents((cv2.resize(visible, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8), connectivity=8)
    reached = np.zeros(count, np.bool_)
    reached[labels[core]] = True
    reached[0] = False
    return np.asarray(reached[labels], np.bool_)


def _enlarged(mask: Mask) -> Mask:
    """Dilate a mask by one pixel."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8)) > 0, np.bool_)
