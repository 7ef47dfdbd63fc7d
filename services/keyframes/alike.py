"""Frames that look alike, whichever shots they are of: no weights are needed for that, only patience with what moved."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.keyframes.apart import apart
from services.keyframes.tiny import TinyFilm

_LAYOUT = 14.0  # levels by which the tiles of frames that look alike differ at most, on average
_DISTANCE = 0.3  # as `Apart.distance` has it; of another shot is what is 0.5 apart


def groups_alike(film: TinyFilm, layout: NDArray[np.uint8], places: Sequence[int]) -> list[list[int]]:
    """Put frames into groups, each around its first: numbers within `places`, which are places in the film; the best should come first.

    `layout` (n, 48) is that of `Looks`: what differs in it is not looked at any closer.
    """
    film = film.without_bars()
    groups: list[list[int]] = []
    for number, place in enumerate(places):
        heads = np.array([places[group[0]] for group in groups], dtype=np.int64)
        near = np.abs(layout[heads].astype(np.int16) - layout[place]).mean(axis=1) <= _LAYOUT if groups else []
        for at in np.flatnonzero(near).tolist():
            if apart(film.at(int(heads[at])), film.at(place)).distance <= _DISTANCE:
                groups[at].append(number)
                break
        else:
            groups.append([number])
    return groups
