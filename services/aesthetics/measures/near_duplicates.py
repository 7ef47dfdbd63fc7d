"""Difference between pictures, and removal of near-duplicates."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 16

Thumbnail = NDArray[np.uint8]


def thumbnail(rgb: NDArray[np.uint8]) -> Thumbnail:
    """Shrink a picture (height, width, 3) to 16 by 16 pixels.

    Pixels are averaged. Returns a flat array, (768,) uint8.
    """
    return cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).reshape(-1).astype(np.uint8, copy=False)


def difference(reference: Thumbnail, others: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compare a thumbnail with others by root mean square difference.

    `reference`: (768,). `others`: (n, 768). Returns (n,), 0 to 1 (black against white).
    """
    gap = others.astype(np.float32) - reference.astype(np.float32)
    return np.asarray(np.sqrt((gap * gap).mean(axis=1)) / 255, np.float32)


def distinct(thumbnails: Sequence[Thumbnail], merits: Sequence[float], min_difference: float) -> list[int | None]:
    """Choose pictures that differ by at least `min_difference`.

    Of similar pictures the one with the highest merit is kept; a `min_difference` of 0 keeps all. Returns for each picture None if it is
    kept, otherwise the index of the kept picture to which it is similar.
    """
    like: list[int | None] = [None] * len(merits)
    if not thumbnails or min_difference <= 0:
        return like
    kept = np.empty((len(thumbnails), len(thumbnails[0])), np.uint8)
    indices: list[int] = []
    for index in sorted(range(len(merits)), key=lambda index: (-merits[index], index)):
        if indices:
            differences = difference(thumbnails[index], kept[: len(indices)])
            nearest = int(differences.argmin())
            if differences[nearest] < min_difference:
                like[index] = indices[nearest]
                continue
        kept[len(indices)] = thumbnails[index]
        indices.append(index)
    return like
