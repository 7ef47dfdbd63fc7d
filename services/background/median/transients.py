"""Remove objects that stand in the scene for most of a clip, but not at its ends."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.median.masked_median import NO_SAMPLE, Counts, Plane, Samples, masked_median
from services.background.median.sample_file import SampleFile

Mask = NDArray[np.bool_]

_END_SHARE = 0.2
"""Share of the samples at each end of the clip that have to agree for something between them to count as passing."""
_AGREES, _DIFFERS = (10, 6), (24, 12)
"""Levels of luma and chroma up to which the two ends agree, and from which the median differs from them."""
_LEAST_SAMPLES, _LEAST_KEPT = 15, 3
_LEAST_AREA = 0.0005
"""Smallest share of the plate that counts as an object; smaller regions are noise."""
_PRESENT = 0.4
"""Share of an object's pixels that have to differ from the background for it to be there in a sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """A plane, or a band of a plane, at the ends of the clip.

    `background`: uint8, the value that both ends show, NO_SAMPLE where unknown. `suspect`: bool, true where the median differs from it.
    """

    background: Plane
    suspect: Mask


def ends_of(samples: Samples, counts: Counts, median: Plane, *, chroma: bool) -> Ends:
    """Compare the median of one band with the ends of the clip.

    `samples`: uint8 (n, pixels) in the order of time; `counts`, `median`: (pixels), as `masked_median` takes and gives them. A median drops
    whatever covers a pixel less than half of the time. What covers it longer is recognised by time: both ends of the clip see the
    pixel, agree about it, and the median shows something else.
    """
    size = max(round(len(samples) * _END_SHARE), 1)
    if len(samples) < _LEAST_SAMPLES:
        return Ends(np.full(median.shape, NO_SAMPLE, np.uint8), np.zeros(median.shape, np.bool_))
    first, last = (_end(part).astype(np.int16) for part in (samples[:size], samples[-size:]))
    agree = (first != NO_SAMPLE) & (last != NO_SAMPLE) & (np.abs(first - last) <= _AGREES[chroma]) & (counts >= _LEAST_SAMPLES // 3)
    background = np.where(agree, (first + last) >> 1, NO_SAMPLE)
    suspect = agree & (np.abs(background - median) >= _DIFFERS[chroma])
    return Ends(background.astype(np.uint8), suspect)


def remove_objects(file: SampleFile, planes: tuple[Plane, ...], ends: tuple[Ends, ...]) -> Mask:
    """Remove passing objects from `planes` and return their mask, bool in luma size.

    `planes`: the medians, changed in place; `ends`: what the ends of the clip tell about each plane, in its shape. Pixels are gathered
    into objects; for each, the samples in which it stands there are found, and its surroundings get the median of the other samples.
    """
    suspect = ends[0].suspect.copy()
    for end in ends[1:]:
        suspect |= _resized(end.suspect, suspect.shape)
    covered = np.zeros(suspect.shape, np.bool_)
    for region in _objects(suspect):
        keep = ~_present(file, region, ends)
        if keep.sum() < _LEAST_KEPT or keep.all():
            continue
        for number, plane in enumerate(planes):
            _replace(file, number, plane, _resized(region, plane.shape), keep)
        covered |= region
    return covered


def _resized(mask: Mask, shape: tuple[int, ...]) -> Mask:
    if mask.shape == shape:
        return mask
    return np.asarray(cv2.resize(mask.view(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST) > 0, np.bool_)


def _objects(suspect: Mask) -> Iterator[Mask]:
    """Yield the region that each object may cover."""
    height = suspect.shape[0]
    reach = max(height // 60, 2) * 2 + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    opened = cv2.morphologyEx(suspect.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < _LEAST_AREA * suspect.size:
            continue
        mask = (labels == label).astype(np.uint8)
        hull = cv2.convexHull(cv2.findNonZero(mask))
        filled = cv2.fillConvexPoly(np.zeros_like(mask), hull, 1)
        yield np.asarray(cv2.dilate(filled, kernel, iterations=2) > 0, np.bool_)


def _present(file: SampleFile, region: Mask, ends: tuple[Ends, ...]) -> Mask:
    """Return the samples that show an object, bool (samples).

    In such a sample most of the tested pixels differ from the background.
    """
    differing, counted = np.zeros(file.count, np.int64), np.zeros(file.count, np.int64)
    for number, end in enumerate(ends):
        known = end.suspect & _resized(region, end.suspect.shape)
        for band in file.bands(number):
            rows = slice(band.top, band.top + band.rows)
            columns = np.flatnonzero(known[rows])
            if not len(columns):
                continue
            values = band.samples[:, columns].astype(np.int16)
            valid = values != NO_SAMPLE
            counted += valid.sum(axis=1)
            far = np.abs(values - end.background[rows].reshape(-1)[columns]) > 1.5 * _AGREES[number > 0]
            differing += (valid & far).sum(axis=1)
    return np.asarray(differing > _PRESENT * np.maximum(counted, 1), np.bool_)


def _replace(file: SampleFile, number: int, plane: Plane, region: Mask, keep: Mask) -> None:
    """Set the pixels of a region to the median of the samples to keep."""
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
    """Return the median at one end of the clip.

    NO_SAMPLE where more than half of the samples are masked.
    """
    counts = np.add.reduce(samples != NO_SAMPLE, axis=0, dtype=np.uint16)
    median = masked_median(samples, counts)
    median[counts * 2 < len(samples)] = NO_SAMPLE
    return median
