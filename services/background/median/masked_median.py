"""Median over samples, ignoring masked pixels."""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Samples = NDArray[np.uint8]
Counts = NDArray[np.uint16]

NO_SAMPLE = 255
"""Value of a masked sample; a true 255 is stored as 254."""
_BLOCK_BYTES = 1536 * 1024
"""Bytes of samples that are searched at a time. More do not fit the cache. With fewer, rows get so short that calls take most of the
time."""
_HIGHEST_SUM = 255
"""Most samples whose comparisons are counted in 8 bits; more need 16 bits."""


def masked_median(samples: Samples, counts: Counts) -> Plane:
    """Return the median of each pixel over all samples, rounded down.

    `samples`: uint8 (n, pixels), NO_SAMPLE where masked. `counts`: uint16 (pixels), number of valid samples. The result equals
    `numpy.median` of the valid samples, rounded down; NO_SAMPLE in pixels without a valid sample. A column is one pixel in all samples.

    NO_SAMPLE sorts last, so the two middle samples are found by their rank. The lower one is built bit by bit from the highest bit
    (binary search by value): each bit costs one comparison and one sum over a block of columns that stays in the cache.
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
        # As int8, because processors compare signed bytes: 128 is added to each sample.
        self._signed = np.empty((count, columns), np.int8)
        # Eight comparisons are added at once, as bytes of a word, so rows end at whole words.
        self._compared = np.zeros((count, -(-columns // 8) * 8), np.bool_)

    def median(self, samples: Samples, counts: Counts) -> Plane:
        """Return the median of each column of a block."""
        signed = self._signed[:, : samples.shape[1]]
        np.bitwise_xor(samples, np.uint8(128), out=signed.view(np.uint8))
        lower, not_above = self._of_rank(signed, (np.maximum(counts, 1) - 1) // 2)
        # The upper middle sample equals the lower one, unless only half of the samples are at or below it.
        differs = not_above * 2 == counts
        if differs.any():
            # Distance to the next sample above: for samples up to the lower one it wraps around to the highest values.
            distances = self._compared.view(np.uint8)[:, : samples.shape[1]]
            np.subtract(signed.view(np.uint8), lower + np.uint8(129), out=distances)
            gap = distances.min(axis=0)
            # The upper one is lower + gap + 1, so half of the distance is added to the lower one.
            np.add(lower, (gap >> 1) + (gap & 1), out=lower, where=differs)
        return lower

    def _of_rank(self, signed: NDArray[np.int8], rank: Counts) -> tuple[Plane, Counts]:
        """Return the sample of rank `rank` in each column.

        The second result is the number of samples that are not above it. Rank 0 is the smallest sample.
        """
        value = np.zeros(len(rank), np.uint8)
        not_above = np.full(len(rank), len(signed), np.uint16)
        for bit in (128, 64, 32, 16, 8, 4, 2, 1):
            candidate = value | np.uint8(bit)
            smaller = self._count(signed, ((candidate - np.uint8(1)) ^ np.uint8(128)).view(np.int8))
            reached = (smaller <= rank).astype(np.uint16)
            # Arithmetic in place of masks: processors mispredict branches on values that are as good as random.
            value |= (reached * bit).astype(np.uint8)
            # The search ends with the value, and with the next one as the least candidate that was too high.
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
