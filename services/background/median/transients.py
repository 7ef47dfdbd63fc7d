"""Removal of objects that stay in one place for most of a clip.

Such objects are absent at the clip's start and end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.median.masked_median import NO_SAMPLE, Counts, Plane, Samples, masked_median
from services.background.median.sample_file import SampleFile

Mask = NDArray[np.bool_]

_END_SHARE = 0.2
"""Share of the samples that counts as the clip's start, and as its end."""
_AGREES, _DIFFERS = (10, 6), (24, 12)
"""Limits of differences, each for luma and for chroma, in levels. Up to _AGREES, start and end of the clip show the same; from _DIFFERS on,
the median shows another thing."""
_MIN_SAMPLES, _MIN_KEPT = 15, 3  # minimum number of samples for searching objects, and minimum number of samples without an object
_MIN_AREA = 0.0005
"""Minimum area of an object, as a share of the plate. Smaller regions are noise."""
_PRESENT = 0.4
"""Share of an object's pixels that differ from the background in a sample. Above it, the sample shows the object."""
_MAX_SEAM = 0.05
"""Largest share of a removed object's border that may be a visible step. With more, only a part of the object was found, and it stays."""


@dataclass(frozen=True, slots=True, eq=False)
class EndPixels:
    """Values on which a clip's start and end agree, compared with the median.

    `background`: uint8, the value on which both ends agree, NO_SAMPLE where they do not. `suspect`: bool, true where the median differs
    from `background`.
    """

    background: Plane
    suspect: Mask


def ends_of(samples: Samples, counts: Counts, median: Plane, *, chroma: bool) -> EndPixels:
    """Compare a band's median with the first and last samples.

    `samples`: uint8 (n, pixels) in the order of time; `counts`, `median`: (pixels), the argument and the result of `masked_median`. The
    median removes an object that covers a pixel less than half of the time. An object that covers it longer is found by comparison: start
    and end of the clip agree on the pixel's value, and the median differs from it.
    """
    size = max(round(len(samples) * _END_SHARE), 1)
    if len(samples) < _MIN_SAMPLES:
        return EndPixels(np.full(median.shape, NO_SAMPLE, np.uint8), np.zeros(median.shape, np.bool_))
    first, last = (_end(part).astype(np.int16) for part in (samples[:size], samples[-size:]))
    agree = (first != NO_SAMPLE) & (last != NO_SAMPLE) & (np.abs(first - last) <= _AGREES[chroma]) & (counts >= _MIN_SAMPLES // 3)
    background = np.where(agree, (first + last) >> 1, NO_SAMPLE)
    suspect = agree & (np.abs(background - median) >= _DIFFERS[chroma])
    return EndPixels(background.astype(np.uint8), suspect)


def remove_objects(file: SampleFile, planes: tuple[Plane, ...], ends: tuple[EndPixels, ...]) -> Mask:
    """Remove transient objects from `planes`, and return a mask of the objects.

    `planes`: the medians, changed in place; `ends`: the comparison of each plane with the ends of the clip, in the plane's shape. Suspect
    pixels are grouped into objects. The region of an object gets the median of the samples that do not show the object. An object
    that was found only in part is not removed: its region would not fit the plate around it. The mask is bool in luma size.
    """
    suspect = ends[0].suspect.copy()
    for end in ends[1:]:
        suspect |= _resized(end.suspect, suspect.shape)
    covered = np.zeros(suspect.shape, np.bool_)
    for region in _objects(suspect):
        keep = ~_present(file, region, ends)
        if keep.sum() < _MIN_KEPT or keep.all():
            continue
        without = tuple(plane.copy() for plane in planes)
        for number, plane in enumerate(without):
            _replace(file, number, plane, _resized(region, plane.shape), keep)
        if _seam(planes[0], without[0], region) > _MAX_SEAM:
            continue
        for plane, replaced in zip(planes, without, strict=True):
            np.copyto(plane, replaced)
        covered |= region
    return covered


def _seam(luma: Plane, without: Plane, region: Mask) -> float:
    """Return the fraction of a replaced region's border that shows a seam.

    At a seam, the plate without the object does not continue the surrounding plate. The picture's own border does not count.
    """
    inside = cv2.erode(region.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    border = region & ~inside
    differs = cv2.absdiff(luma, without)[border] >= _DIFFERS[0]
    return float(differs.mean()) if len(differs) else 0.0


def _resized(mask: Mask, shape: tuple[int, ...]) -> Mask:
    if mask.shape == shape:
        return mask
    return np.asarray(cv2.resize(mask.view(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST) > 0, np.bool_)


def _objects(suspect: Mask) -> Iterator[Mask]:
    """Yield a mask around each suspected object."""
    height = suspect.shape[0]
    reach = max(height // 60, 2) * 2 + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    opened = cv2.morphologyEx(suspect.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < _MIN_AREA * suspect.size:
            continue
        mask = (labels == label).astype(np.uint8)
        hull = cv2.convexHull(cv2.findNonZero(mask))
        filled = cv2.fillConvexPoly(np.zeros_like(mask), hull, 1)
        yield np.asarray(cv2.dilate(filled, kernel, iterations=2) > 0, np.bool_)


def _present(file: SampleFile, region: Mask, ends: tuple[EndPixels, ...]) -> Mask:
    """Mark the samples that show the object in `region`, bool (samples,).

    In such a sample more than 40 % of the object's pixels differ from the background.
    """
    differing, counted = np.zeros(file.count, np.int64), np.zeros(file.count, np.int64)
    for number, end in enumerate(ends):
        mask = end.suspect & _resized(region, end.suspect.shape)
        for band in file.bands(number):
            rows = slice(band.top, band.top + band.rows)
            columns = np.flatnonzero(mask[rows])
            if not len(columns):
                continue
            values = band.samples[:, columns].astype(np.int16)
            valid = values != NO_SAMPLE
            counted += valid.sum(axis=1)
            far = np.abs(values - end.background[rows].reshape(-1)[columns]) > 1.5 * _AGREES[number > 0]
            differing += (valid & far).sum(axis=1)
    return np.asarray(differing > _PRESENT * np.maximum(counted, 1), np.bool_)


def _replace(file: SampleFile, number: int, plane: Plane, region: Mask, keep: Mask) -> None:
    """Replace a region of `plane` by the median of the samples in `keep`."""
    for band in file.bands(number):
        rows = slice(band.top, band.top + band.rows)
        columns = np.flatnonzero(region[rows])
        if not len(columns):
            continue
        samples = np.ascontiguousarray(band.samples[keep][:, columns])
        counts = np.add.reduce(samples != NO_SAMPLE, axis=0, dtype=np.uint16)
        target = plane[rows].reshape(-1)
        target[columns] = np.where(counts > 0, masked_median(samples, counts), target[columns])


def _end(samples: Samples) -> Plane:
    """Return the median of the samples at one end of the clip.

    The value is NO_SAMPLE where more than half of the samples are masked.
    """
    counts = np.add.reduce(samples != NO_SAMPLE, axis=0, dtype=np.uint16)
    median = masked_median(samples, counts)
    median[counts * 2 < len(samples)] = NO_SAMPLE
    return median
