"""Frames that look alike, whichever shots they are of: no weights are needed for that, only patience with what moved."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.frame_distance import apart
from services.keyframes.analysis.thumbnail_film import TinyFilm

_LAYOUT = 14.0  # levels by which the tiles of frames that look alike differ at most, on average
_DISTANCE = 0.3  # as `Apart.distance` has it; of another shot is what is 0.5 apart
_NEAREST = 20  # groups that a frame is looked at next to, at most: noise is as near to all noise


def groups_alike(film: TinyFilm, layout: NDArray[np.uint8], places: Sequence[int], *, most: int) -> list[list[int]]:
    """Put frames into groups, each around its first: numbers within `places`, which are places in the film; the best should come first.

    `layout` (n, 48) is that of `Looks`: what differs in it is not looked at any closer. Of more than `most` groups the first are given.
    """
    film = film.without_bars()
    groups: list[list[int]] = []
    heads = np.empty((min(most, len(places)), layout.shape[1]), np.int16)
    for number, place in enumerate(places):
        off = np.abs(heads[: len(groups)] - layout[place]).mean(axis=1)
        nearest = np.argsort(off, kind="stable")[:_NEAREST]
        for at in sorted(nearest[off[nearest] <= _LAYOUT].tolist()):
            if apart(film.at(places[groups[at][0]]), film.at(place)).distance <= _DISTANCE:
                groups[at].append(number)
                break
        else:
            if len(groups) < most:
                heads[len(groups)] = layout[place]
                groups.append([number])
    return groups
