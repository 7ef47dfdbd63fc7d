"""How much two pictures look alike, for leaving near-duplicates out."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 16

Impression = NDArray[np.uint8]


def impression(rgb: NDArray[np.uint8]) -> Impression:
    """A picture (height, width, 3) as (768,) uint8: 16 by 16 areas of it, in R, G and B."""
    return cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).reshape(-1).astype(np.uint8, copy=False)


def difference(one: Impression, others: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Root mean square difference of an impression (768,) from each of `others` (n, 768): 0 is the same, 1 black against white."""
    gap = others.astype(np.float32) - one.astype(np.float32)
    return np.asarray(np.sqrt((gap * gap).mean(axis=1)) / 255, np.float32)


def distinct(impressions: Sequence[Impression], merits: Sequence[float], least: float) -> list[int | None]:
    """Which pictures to keep: the best first, each unless one that is kept differs from it by less than `least` (0 keeps all).

    Gives for each picture None if it is kept, or else the index of the kept one that it looks like.
    """
    like: list[int | None] = [None] * len(merits)
    if not impressions or least <= 0:
        return like
    kept = np.empty((len(impressions), len(impressions[0])), np.uint8)
    names: list[int] = []
    for index in sorted(range(len(merits)), key=lambda index: (-merits[index], index)):
        if names:
            apart = difference(impressions[index], kept[: len(names)])
            nearest = int(apart.argmin())
            if apart[nearest] < least:
                like[index] = names[nearest]
                continue
        kept[len(names)] = impressions[index]
        names.append(index)
    return like
