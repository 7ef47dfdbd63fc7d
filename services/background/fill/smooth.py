"""Hole filling with smooth colours from the surroundings."""

import numpy as np
from numpy.typing import NDArray

from shared.video.frames.push_pull import push_pull


def fill_smooth(picture: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill the holes of a picture by push-pull interpolation.

    `picture`: RGB, uint8 (height, width, 3). `hole`: uint8 (height, width), 255 in holes. Only pixels within a quarter of the holes' extent
    are used; pixels farther away would have hardly any weight.
    """
    place = _surroundings(hole)
    if place is None:
        return picture
    filled = picture.copy()
    part = push_pull(picture[place].astype(np.float32), (hole[place] == 0).astype(np.float32))
    filled[place] = np.clip(np.rint(part), 0, 255).astype(np.uint8)
    return filled


def _surroundings(hole: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    """Return the rows and columns that enclose all holes, with a margin.

    They include a margin of a quarter of the holes' extent, at least 16 pixels. None if there is no hole.
    """
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    if not len(rows):
        return None
    sides = []
    for places, length in ((rows, hole.shape[0]), (columns, hole.shape[1])):
        first, last = int(places[0]), int(places[-1]) + 1
        margin = max((last - first) // 4, 16)
        sides.append(slice(max(first - margin, 0), min(last + margin, length)))
    return sides[0], sides[1]
