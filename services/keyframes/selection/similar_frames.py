"""Grouping of similar frames, tolerant of motion. Needs no model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.frame_distance import frame_distance
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm

_LAYOUT_DIFFERENCE = 14.0  # largest mean difference, in levels, between the layouts of similar frames
_DISTANCE = 0.3  # largest `FrameDistance.total` of similar frames; frames of different shots have 0.45 or more
_COMPARED = 20  # maximum number of groups that a frame is compared with: in a film of noise all layouts are similar


def group_similar(film: ThumbnailFilm, layouts: NDArray[np.uint8], places: Sequence[int], *, max_groups: int) -> list[list[int]]:
    """Group the frames at `places` by similarity.

    A frame joins a group if it looks like the group's first frame, so pass the best frames first. `layouts`: (n, 48), `FrameQuality.layout`
    of the film's frames; only frames with similar layouts are compared in detail. Returns the first `max_groups` groups, as lists of
    indices into `places`.
    """
    film = film.without_bars()
    groups: list[list[int]] = []
    head_layouts = np.empty((min(max_groups, len(places)), layouts.shape[1]), np.int16)
    for number, place in enumerate(places):
        differences = np.abs(head_layouts[: len(groups)] - layouts[place]).mean(axis=1)
        nearest = np.argsort(differences, kind="stable")[:_COMPARED]
        for group in sorted(nearest[differences[nearest] <= _LAYOUT_DIFFERENCE].tolist()):
            head = places[groups[group][0]]
            if frame_distance(film.at(head), film.at(place)).total <= _DISTANCE:
                groups[group].append(number)
                break
        else:
            if len(groups) < max_groups:
                head_layouts[len(groups)] = layouts[place]
                groups.append([number])
    return groups
