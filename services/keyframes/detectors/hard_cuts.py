"""Hard cuts: one frame is far from the one before, and neither motion nor a flash explains it."""

import math
from dataclasses import dataclass

import numpy as np

from services.keyframes.analysis.consecutive import Floats, Steps
from services.keyframes.analysis.frame_distance import NOISE, apart
from services.keyframes.analysis.thumbnail_film import TinyFilm

CUT_AT, _CUT_WIDTH = 0.45, 0.08
"""The distance at which a cut is as likely as not, and how fast it becomes sure above."""
_NEAR = 4  # places on each side that a cut is compared with
_FLASH = 6  # frames that a flash lasts at most
_FAINTER, _SAME = 0.8, 0.85  # a step of a fade takes at least so much of the contrast, and leaves pictures that correlate so
_DIMMED = 12  # places on each side in which the picture's fullest contrast is looked for
_LEAST = 0.2  # what is nearer than this is looked at no further


@dataclass(frozen=True, slots=True)
class HardCut:
    """`place`: of the first frame after it, in the film. `distance` is what is left of the change after doubts."""

    place: int
    distance: float


def hard_cuts(film: TinyFilm, steps: Steps) -> list[HardCut]:
    """The places where a cut may be, each with how sure it is; which are cuts is for a threshold to decide."""
    distance, found = steps.distance * _shown(steps.contrast), []
    for place in np.flatnonzero(distance >= _LEAST).tolist():
        here = float(distance[place])
        around = np.concatenate([distance[max(place - _NEAR, 1) : place], distance[place + 1 : place + 1 + _NEAR]])
        near = np.concatenate([distance[max(place - 2, 1) : place], distance[place + 1 : place + 3]])
        if len(near) and here < near.max():
            continue
        # In steady motion every step is as large: what the other steps have is not the cut's.
        restless = float(np.sort(around)[-_NEAR:].mean()) if len(around) else 0.0
        left = among(here, restless)
        if left >= _LEAST and not _dims(film, place) and not _flashes(film, place, here):
            found.append(HardCut(place, left))
    return found


def among(here: float, restless: float) -> float:
    """What is left of a distance where others near it are of the size `restless`."""
    return here * min(here / max(1.6 * restless, 1e-6), 1.0)


def sureness(distance: float) -> float:
    """How sure a cut of such a distance is, 0 to 1: 0.5 at CUT_AT."""
    return 1 / (1 + math.exp(-(distance - CUT_AT) / _CUT_WIDTH))


def _shown(contrast: Floats) -> Floats:
    """(n,): 1, and less where the picture is hardly there, as in the middle of a fade: whatever changes then is not a cut's to change."""
    if len(contrast) < 2:
        return np.ones(len(contrast), np.float32)
    fullest = np.lib.stride_tricks.sliding_window_view(np.pad(contrast, _DIMMED, mode="edge"), 2 * _DIMMED + 1).max(axis=1)
    pair = np.maximum(contrast, np.concatenate([contrast[:1], contrast[:-1]]))
    shown: Floats = np.minimum((pair + NOISE) / (0.5 * (fullest + NOISE)), 1)
    return shown


def _dims(film: TinyFilm, place: int) -> bool:
    """Whether both frames are the same picture, only that one is fainter: a step of a quick fade."""
    before, now = film.at(place - 1)[0].astype(np.float32), film.at(place)[0].astype(np.float32)
    fainter, fuller = sorted((float(before.std()), float(now.std())))
    if fainter < 1 or fainter > _FAINTER * fuller:
        return False
    return float(np.corrcoef(before.ravel(), now.ravel())[0, 1]) >= _SAME


def _flashes(film: TinyFilm, place: int, distance: float) -> bool:
    """Whether the picture soon is again what it was before, or was so shortly before what it is now."""
    number = film.frames
    first, last = np.searchsorted(number, [number[place - 1] - _FLASH, number[place] + _FLASH + 1]).tolist()
    before, now = film.block(place - 1, place + 1)
    earlier, later = film.block(first, place - 1), film.block(place + 1, last)
    again = apart(np.broadcast_to(before, later.shape), later).distance
    already = apart(earlier, np.broadcast_to(now, earlier.shape)).distance
    return bool((again < 0.5 * distance).any() or (already < 0.5 * distance).any())
