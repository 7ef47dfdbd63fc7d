"""Hard cuts: changes of picture from one frame to the next.

Changes that motion, a flash or a fade explains do not count.
"""

import math
from dataclasses import dataclass

import numpy as np

from services.keyframes.analysis.frame_changes import FrameChanges
from services.keyframes.analysis.frame_distance import NOISE, frame_distance
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm
from services.keyframes.detectors.transition import Floats

CUT_AT, _CUT_WIDTH = 0.45, 0.08
"""Centre and width of the logistic curve from distance to confidence. At CUT_AT the confidence is 0.5."""
_NEAR = 4  # places on each side that a cut is compared with
_FLASH = 6  # frames of the longest flash
_FAINTER, _SAME = 0.8, 0.85  # step of a fade: largest share of the contrast that stays, least correlation of both pictures
_DIMMED = 12  # places on each side that are searched for the full contrast
_LEAST = 0.2  # least distance of a candidate


@dataclass(frozen=True, slots=True)
class HardCut:
    """A possible cut."""

    place: int
    """Place of the first frame after the cut in the film."""
    distance: float
    """Distance between the frames before and after the cut, less what motion explains."""


def hard_cuts(film: ThumbnailFilm, changes: FrameChanges) -> list[HardCut]:
    """Find all possible cuts.

    A threshold on `confidence_of` decides which of them are cuts.
    """
    distance, cuts = changes.distance * _visibility(changes.contrast), []
    for place in np.flatnonzero(distance >= _LEAST).tolist():
        here = float(distance[place])
        around = np.concatenate([distance[max(place - _NEAR, 1) : place], distance[place + 1 : place + 1 + _NEAR]])
        nearest = np.concatenate([distance[max(place - 2, 1) : place], distance[place + 1 : place + 3]])
        if len(nearest) and here < nearest.max():
            continue
        # Steady motion gives the neighbours similar distances, so theirs are an estimate of the share of motion.
        motion = float(np.sort(around)[-_NEAR:].mean()) if len(around) else 0.0
        unexplained = less_motion(here, motion)
        if unexplained >= _LEAST and not _is_fade_step(film, place) and not _is_flash(film, place, here):
            cuts.append(HardCut(place, unexplained))
    return cuts


def less_motion(distance: float, motion: float) -> float:
    """Reduce a distance by the part that motion explains.

    `motion`: mean distance of the neighbouring frames.
    """
    return distance * min(distance / max(1.6 * motion, 1e-6), 1.0)


def confidence_of(distance: float) -> float:
    """Convert the distance of a cut to a confidence, 0 to 1.

    The confidence is 0.5 at CUT_AT.
    """
    return 1 / (1 + math.exp(-(distance - CUT_AT) / _CUT_WIDTH))


def _visibility(contrast: Floats) -> Floats:
    """Rate how visible each frame is, (n,), up to 1.

    Visibility is low in the middle of a fade, where changes are no cuts.
    """
    if len(contrast) < 2:
        return np.ones(len(contrast), np.float32)
    fullest = np.lib.stride_tricks.sliding_window_view(np.pad(contrast, _DIMMED, mode="edge"), 2 * _DIMMED + 1).max(axis=1)
    pair = np.maximum(contrast, np.concatenate([contrast[:1], contrast[:-1]]))
    visibility: Floats = np.minimum((pair + NOISE) / (0.5 * (fullest + NOISE)), 1)
    return visibility


def _is_fade_step(film: ThumbnailFilm, place: int) -> bool:
    """Return whether the change at `place` is a step of a fade.

    It is if the frames at `place - 1` and `place` show the same picture, and one of them is fainter.
    """
    before, now = film.at(place - 1)[0].astype(np.float32), film.at(place)[0].astype(np.float32)
    fainter, fuller = sorted((float(before.std()), float(now.std())))
    if fainter < 1 or fainter > _FAINTER * fuller:
        return False
    return float(np.corrcoef(before.ravel(), now.ravel())[0, 1]) >= _SAME


def _is_flash(film: ThumbnailFilm, place: int, distance: float) -> bool:
    """Return whether the change at `place` belongs to a flash.

    It does if the old picture returns soon after, or if the new picture was there shortly before.
    """
    numbers = film.frames
    first, last = np.searchsorted(numbers, [numbers[place - 1] - _FLASH, numbers[place] + _FLASH + 1]).tolist()
    before, now = film.block(place - 1, place + 1)
    earlier, later = film.block(first, place - 1), film.block(place + 1, last)
    old_returns = frame_distance(np.broadcast_to(before, later.shape), later).total
    new_was_there = frame_distance(earlier, np.broadcast_to(now, earlier.shape)).total
    return bool((old_returns < 0.5 * distance).any() or (new_was_there < 0.5 * distance).any())
