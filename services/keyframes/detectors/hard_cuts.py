"""Hard cuts: a frame differs from the one before, and neither motion nor a flash explains it."""

import math
from dataclasses import dataclass

import numpy as np

from services.keyframes.analysis.frame_changes import FrameChanges
from services.keyframes.analysis.frame_distance import NOISE, frame_distance
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm
from services.keyframes.detectors.transition import Floats

CUT_AT, _CUT_WIDTH = 0.45, 0.08
"""Distance at which a cut has a confidence of 0.5, and how fast the confidence rises from there."""
_NEAR = 4  # places on each side that a cut is compared with
_FLASH = 6  # frames of the longest flash
_FAINTER, _SAME = 0.8, 0.85  # a step of a fade leaves at most this share of the contrast, and pictures that correlate at least so
_DIMMED = 12  # places on each side in which the full contrast is looked for
_LEAST = 0.2  # smaller distances are no candidates


@dataclass(frozen=True, slots=True)
class HardCut:
    """A possible cut.

    `place`: the first frame after it, in the film. `distance`: the distance between its frames, less what motion explains.
    """

    place: int
    distance: float


def hard_cuts(film: ThumbnailFilm, changes: FrameChanges) -> list[HardCut]:
    """Find all places where a cut is possible. A threshold on `confidence_of` decides which are cuts."""
    distance, cuts = changes.distance * _visibility(changes.contrast), []
    for place in np.flatnonzero(distance >= _LEAST).tolist():
        here = float(distance[place])
        around = np.concatenate([distance[max(place - _NEAR, 1) : place], distance[place + 1 : place + 1 + _NEAR]])
        nearest = np.concatenate([distance[max(place - 2, 1) : place], distance[place + 1 : place + 3]])
        if len(nearest) and here < nearest.max():
            continue
        # Steady motion makes every step as large, so the neighbours' distance is not the cut's.
        motion = float(np.sort(around)[-_NEAR:].mean()) if len(around) else 0.0
        unexplained = less_motion(here, motion)
        if unexplained >= _LEAST and not _is_fade_step(film, place) and not _is_flash(film, place, here):
            cuts.append(HardCut(place, unexplained))
    return cuts


def less_motion(distance: float, motion: float) -> float:
    """Reduce a distance where its neighbours have distances of about `motion`."""
    return distance * min(distance / max(1.6 * motion, 1e-6), 1.0)


def confidence_of(distance: float) -> float:
    """Return the confidence of a cut with such a distance, 0 to 1; 0.5 at CUT_AT."""
    return 1 / (1 + math.exp(-(distance - CUT_AT) / _CUT_WIDTH))


def _visibility(contrast: Floats) -> Floats:
    """Rate how visible each frame (n,) is, up to 1.

    It is low in the middle of a fade, where changes are no cuts.
    """
    if len(contrast) < 2:
        return np.ones(len(contrast), np.float32)
    fullest = np.lib.stride_tricks.sliding_window_view(np.pad(contrast, _DIMMED, mode="edge"), 2 * _DIMMED + 1).max(axis=1)
    pair = np.maximum(contrast, np.concatenate([contrast[:1], contrast[:-1]]))
    visibility: Floats = np.minimum((pair + NOISE) / (0.5 * (fullest + NOISE)), 1)
    return visibility


def _is_fade_step(film: ThumbnailFilm, place: int) -> bool:
    """Return whether the frames at `place - 1` and `place` are the same picture, one of them fainter."""
    before, now = film.at(place - 1)[0].astype(np.float32), film.at(place)[0].astype(np.float32)
    fainter, fuller = sorted((float(before.std()), float(now.std())))
    if fainter < 1 or fainter > _FAINTER * fuller:
        return False
    return float(np.corrcoef(before.ravel(), now.ravel())[0, 1]) >= _SAME


def _is_flash(film: ThumbnailFilm, place: int, distance: float) -> bool:
    """Return whether the old picture returns soon after `place`, or the new one was there shortly before."""
    numbers = film.frames
    first, last = np.searchsorted(numbers, [numbers[place - 1] - _FLASH, numbers[place] + _FLASH + 1]).tolist()
    before, now = film.block(place - 1, place + 1)
    earlier, later = film.block(first, place - 1), film.block(place + 1, last)
    old_returns = frame_distance(np.broadcast_to(before, later.shape), later).total
    new_was_there = frame_distance(earlier, np.broadcast_to(now, earlier.shape)).total
    return bool((old_returns < 0.5 * distance).any() or (new_was_there < 0.5 * distance).any())
