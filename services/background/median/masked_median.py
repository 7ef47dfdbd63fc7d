"""Median over samples that ignores masked samples."""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Samples = NDArray[np.uint8]
Counts = NDArray[np.uint16]

NO_SAMPLE = 255
"""Value of a masked sample; a true 255 is stored as 254."""


def masked_median(samples: Samples, counts: Counts) -> Plane:
    """Return the median of each column of `samples`, rounded down.

    `samples`: uint8 (n, pixels), NO_SAMPLE where masked. `counts`: uint16 (pixels), number of valid samples. The result equals
    `numpy.median` of the valid samples, rounded down; NO_SAMPLE in columns without a valid sample.

    NO_SAMPLE sorts last, so the two middle samples are found by their rank. The lower one is built bit by bit from the highest bit
    (binary search by value). Each bit costs one comparison and one sum over a block that stays in the cache; sorting would cost log2(n)
    passes over 200 samples.
    """
    count = counts.astype(np.int32)
    lower = _of_rank(samples, (np.maximum(count, 1) - 1) // 2)
    # The upper middle sample equals the lower one, unless too few samples are at or below it.
    at_or_below = np.add.reduce(samples <= lower, axis=0, dtype=_dtype(len(samples)))
    above = np.flatnonzero(at_or_below <= count // 2)
    upper = lower.copy()
    if len(above):
        columns = samples[:, above]
        upper[above] = np.where(columns > lower[above], columns, NO_SAMPLE).min(axis=0)
    return ((lower.astype(np.uint16) + upper) >> 1).astype(np.uint8)


def _of_rank(samples: Samples, rank: NDArray[np.int32]) -> Plane:
    """Return the sample of the given rank in each column.

    Rank 0 is the smallest sample.
    """
    dtype = _dtype(len(samples))
    target = rank.astype(dtype)
    value = np.zeros(samples.shape[1], np.uint8)
    below = np.empty(samples.shape, np.bool_)
    for bit in (128, 64, 32, 16, 8, 4, 2, 1):
        candidate = value | np.uint8(bit)
        np.less(samples, candidate, out=below)
        smaller = np.add.reduce(below.view(np.uint8), axis=0, dtype=dtype)
        np.copyto(value, candidate, where=smaller <= target)
    return value


def _dtype(count: int) -> type[np.uint8] | type[np.uint16]:
    """Return the smallest type that counts `count` samples."""
    return np.uint8 if count < 256 else np.uint16
