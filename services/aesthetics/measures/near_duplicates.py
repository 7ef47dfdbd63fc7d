"""Comparison of pictures and removal of near-duplicates."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 16  # side of a thumbnail in pixels
_MAX_GAIN = 1.3
"""Largest factor by which a picture's brightness is changed before the comparison."""
_MIN_DEVIATION = 6.0
"""A picture's standard deviation, in levels, counts as at least this. In plain pictures it is lower: only noise and compression."""
_BEHIND, _UNRELATED_BEHIND = 0.75, 0.43
"""Limits for comparing pictures in which something passes in front of the view. Only the share _BEHIND of the pixels is compared: those
that differ least. In these pixels, unrelated pictures differ by _UNRELATED_BEHIND or more."""
_NEAR = 1.2
"""Largest difference at which pictures are also compared by their most similar pixels. It is relative to the limit for similar pictures."""

Thumbnail = NDArray[np.uint8]


def thumbnail(rgb: NDArray[np.uint8]) -> Thumbnail:
    """Shrink a picture (height, width, 3) to 16 x 16 pixels.

    Pixels are averaged. Returns a flat array, (768,) uint8.
    """
    return cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).reshape(-1).astype(np.uint8, copy=False)


def look_alikes(thumbnails: Sequence[Thumbnail], merits: Sequence[float], min_difference: float) -> list[int | None]:
    """Find the pictures that are near-duplicates of a better picture.

    Returns the index of that better picture for each picture; None for pictures to keep. Kept pictures differ from each other by at least
    `min_difference`; 0 keeps all. The difference of two pictures is their root mean square difference, divided by that of unrelated
    pictures of the same contrast: 0 for equal pictures, about 1 for unrelated ones, whether dark or bright. Pictures of the same view
    count as similar in different exposures, and while something passes in front. Of similar pictures, that with the highest merit is kept.
    """
    like: list[int | None] = [None] * len(merits)
    if not thumbnails or min_difference <= 0:
        return like
    order = sorted(range(len(merits)), key=lambda index: (-merits[index], index))
    looks = _Thumbnails(np.stack([thumbnails[index] for index in order]))
    survivors = list[int]()
    for place, index in enumerate(order):
        if survivors:
            differences = looks.differences(place, len(survivors))
            nearest = int(differences.argmin())
            if differences[nearest] >= min_difference:
                for other in np.flatnonzero(differences < _NEAR * min_difference).tolist():
                    differences[other] = min(differences[other], looks.difference_behind(place, other))
                nearest = int(differences.argmin())
            if differences[nearest] < min_difference:
                like[index] = survivors[nearest]
                continue
        looks.move(place, len(survivors))
        survivors.append(index)
    return like


class _Thumbnails:
    """Thumbnails (n, 768) with precomputed statistics for comparisons."""

    def __init__(self, thumbnails: NDArray[np.uint8]) -> None:
        self._pixels = thumbnails.astype(np.float32)
        channels = self._pixels.reshape(len(thumbnails), -1, 3)
        self._means, self._powers = channels.mean(axis=(1, 2)), (channels**2).mean(axis=(1, 2))
        self._variances = channels.var(axis=1).mean(axis=1)

    def move(self, source: int, target: int) -> None:
        """Copy the thumbnail at index `source` to index `target`."""
        for values in (self._pixels, self._means, self._powers, self._variances):
            values[target] = values[source]

    def differences(self, index: int, count: int) -> NDArray[np.float32]:
        """Return the differences of the thumbnail at `index` from the first `count` thumbnails.

        The brightness of both pictures is matched first.
        """
        gain, unrelated = self._matched(index, slice(count))
        gains = gain**2
        products = self._pixels[:count] @ self._pixels[index] / self._pixels.shape[1]
        squares = self._powers[index] / gains + self._powers[:count] * gains - 2 * products
        return np.asarray(np.sqrt(np.maximum(squares, 0) / unrelated), np.float32)

    def difference_behind(self, index: int, other: int) -> float:
        """Return the difference of two thumbnails without their least similar pixels.

        Something may pass in front of the view at these pixels.
        """
        gain, unrelated = self._matched(index, slice(other, other + 1))
        squares = ((self._pixels[index] / gain - self._pixels[other] * gain) ** 2).reshape(-1, 3).mean(axis=1)
        count = round(_BEHIND * len(squares))
        return float(np.sqrt(np.partition(squares, count - 1)[:count].mean() / unrelated[0])) / _UNRELATED_BEHIND

    def _matched(self, index: int, others: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Match the brightness of the thumbnail at `index` to that of others.

        Returns the gains and, for the matched pictures, the mean square differences of unrelated pictures. The thumbnail is divided by a
        gain, and the other is multiplied by it.
        """
        gain = np.sqrt((self._means[index] + 1) / (self._means[others] + 1)).clip(1 / _MAX_GAIN, _MAX_GAIN)
        least = _MIN_DEVIATION**2
        return gain, np.maximum(self._variances[index] / gain**2, least) + np.maximum(self._variances[others] * gain**2, least)
