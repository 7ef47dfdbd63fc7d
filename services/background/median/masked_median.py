"""Median over samples, ignoring masked pixels."""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Samples = NDArray[np.uint8]
Counts = NDArray[np.uint16]

NO_SAMPLE = 255
"""Value of a masked sample; a true 255 is stored as 254."""
_BLOCK_BYTES = 1536 * 1024
"""Bytes of samples in a block that is searched at a time. A larger block does not fit the cache; in a smaller one, calls take most of
the time."""
_HIGHEST_SUM = 255
"""Maximum number of samples that an 8-bit counter can count."""


def masked_median(samples: Samples, counts: Counts) -> Plane:
    """Return the median of each pixel over all samples, rounded down.

    `samples`: uint8 (n, pixels), NO_SAMPLE where masked. `counts`: uint16 (pixels), number of valid samples of each pixel. The
    result equals `numpy.median` of the valid samples, rounded down; NO_SAMPLE for a pixel without a valid sample.

    Samples are not sorted. For each pixel, a binary search over the values 0 to 255 finds the lower of the two middle samples. Each of its
    eight steps compares all samples with one value and counts the smaller samples. Masked samples have the highest value, so they do not
    change the ranks of valid samples. Pixels are searched in blocks that fit the cache.
    """
    count, pixels = samples.shape
    columns = max(_BLOCK_BYTES // max(count, 1) // 8 * 8, 64)
    search = _RankSearch(count, min(columns, pixels))
    median = np.empty(pixels, np.uint8)
    for first in range(0, pixels, columns):
        place = slice(first, min(first + columns, pixels))
        median[place] = search.median(samples[:, place], counts[place])
    return median


class _RankSearch:
    """Search for the sample of a given rank in each column.

    A column holds all samples of one pixel. A block has up to `columns` columns of `count` samples.
    """

    def __init__(self, count: int, columns: int) -> None:
        # Processors compare signed bytes, so samples are stored as int8: 128 is added to each.
        self._signed = np.empty((count, columns), np.int8)
        # Eight comparisons are added at once, as the bytes of a 64-bit word, so rows are padded to whole words.
        self._compared = np.zeros((count, -(-columns // 8) * 8), np.bool_)

    def median(self, samples: Samples, counts: Counts) -> Plane:
        """Return the median of each column of a block."""
        signed = self._signed[:, : samples.shape[1]]
        np.bitwise_xor(samples, np.uint8(128), out=signed.view(np.uint8))
        lower, not_above = self._of_rank(signed, (np.maximum(counts, 1) - 1) // 2)
        # The upper middle sample equals the lower, unless exactly half of the samples are less than or equal to the lower.
        differs = not_above * 2 == counts
        if differs.any():
            # Distance from the lower middle sample up to each sample, minus 1. For samples that are not above it, the distance wraps around
            # to high values.
            distances = self._compared.view(np.uint8)[:, : samples.shape[1]]
            np.subtract(signed.view(np.uint8), lower + np.uint8(129), out=distances)
            gap = distances.min(axis=0)
            # The upper middle sample is lower + gap + 1, so the mean of both, rounded down, is lower + (gap + 1) // 2.
            np.add(lower, (gap >> 1) + (gap & 1), out=lower, where=differs)
        return lower

    def _of_rank(self, signed: NDArray[np.int8], rank: Counts) -> tuple[Plane, Counts]:
        """Return the sample of rank `rank` in each column.

        The second result is the number of samples less than or equal to that sample. Rank 0 is the smallest sample.
        """
        value = np.zeros(len(rank), np.uint8)
        not_above = np.full(len(rank), len(signed), np.uint16)
        for bit in (128, 64, 32, 16, 8, 4, 2, 1):
            candidate = value | np.uint8(bit)
            smaller = self._count(signed, ((candidate - np.uint8(1)) ^ np.uint8(128)).view(np.int8))
            reached = (smaller <= rank).astype(np.uint16)
            # Arithmetic instead of masks: processors mispredict branches on random values.
            value |= (reached * bit).astype(np.uint8)
            # The lowest candidate that is too high is the value plus 1. The samples below that candidate are counted by `not_above`.
            np.minimum(not_above, smaller | -reached, out=not_above)
        return value, not_above

    def _count(self, signed: NDArray[np.int8], limit: NDArray[np.int8]) -> Counts:
        """Count each column's samples that are at most `limit`."""
        np.less_equal(signed, limit, out=self._compared[:, : len(limit)])
        words = self._compared.view(np.uint64)
        total = np.zeros(len(limit), np.uint16)
        for first in range(0, len(words), _HIGHEST_SUM):
            total += np.add.reduce(words[first : first + _HIGHEST_SUM], axis=0).view(np.uint8)[: len(limit)]
        return total
