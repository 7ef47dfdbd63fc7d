"""Hard cuts: abrupt changes from one frame to the next.

Changes that motion, a flash, a fade or an overlay explains do not count.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from services.keyframes.analysis.comparison.frame_changes import FrameChanges
from services.keyframes.analysis.comparison.frame_distance import NOISE, frame_distance
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm
from services.keyframes.detectors.cuts.content import Content
from services.keyframes.detectors.cuts.overlays import LARGEST_OVERLAY, changed_area, on_plain_ground
from services.keyframes.detectors.transition import Floats

CUT_AT, _CUT_WIDTH = 0.45, 0.08
"""Centre and width of the logistic curve from distance to confidence. At CUT_AT the confidence is 0.5."""
_NEAR = 4  # number of changes on each side with which a cut is compared
_GLIMPSE = 0.08  # length in seconds of the longest glimpse of another picture that counts as a disturbance
_FAINTER, _SAME = 0.8, 0.85
"""Limits for two frames of one fade. The contrast of the fainter frame is at most _FAINTER times that of the other, and the correlation of
both is at least _SAME."""
_DIMMED = 12  # number of frames on each side, whose highest contrast counts as the full contrast
_MIN_DISTANCE, _MIN_CONFIDENCE = 0.2, 0.08  # minimum distance and minimum confidence of a possible cut
_STEP_AT, _STEP_WIDTH = 1.8, 0.25  # height of a step at confidence 0.5, and width of the logistic curve of its logarithm
_MIN_CHANGE = 0.35  # minimum relative change of structure at a cut that is found by its distance
_LONGEST_GAP = 2.5  # largest factor that scales a nearby change to a longer gap: beyond it, more motion hardly changes a picture further
_LONE = 1.5  # a cut this many times as large as the changes right beside it may have other cuts two frames away
_RAMP = 1.1  # a change less than this many times as large as those right beside it is part of a gradual change
_UNLIKE, _FAR, _OTHER = 0.9, 0.75, 1.1
"""Limits for two frames of one shot. They hardly belong to one shot if their relative change of structure is at least _UNLIKE and their
distance at least _FAR. If their distance is at least _OTHER, too, they surely do not."""
_ACROSS, _ACROSS_LIKE, _ACROSS_HEIGHT = 0.8, 0.8, 2.4
"""Limits for a cut across a flash or blank frames. Its distance is at least _ACROSS, and at least _ACROSS_HEIGHT times the largest distance
nearby. Its relative change of structure is at least _ACROSS_LIKE."""
_BESIDE = 3  # number of frames before, and after, a change for measuring the extent of an overlay
STILL = 0.3
"""Largest change of structure between two frames of a still shot, in grey levels."""


@dataclass(frozen=True, slots=True)
class HardCut:
    """A possible hard cut with its confidence."""

    place: int
    """Index in the film of the first frame after the cut."""
    confidence: float
    """Confidence in the cut, 0 to 1."""


def hard_cuts(
    film: ThumbnailFilm, changes: FrameChanges, frame_rate: float, content: Content, interrupted: Collection[int] = ()
) -> list[HardCut]:
    """Find all possible hard cuts.

    `frame_rate`: frames per second. `content`: what the video shows. `interrupted`: places before which a flash or blank frames were left
    out. A threshold on the confidence decides which of them are cuts.
    """
    visibility, cuts = _visibility(changes.contrast), []
    distance = changes.distance * visibility
    steps = _Steps.of(changes, film)
    for place in np.flatnonzero((distance >= _MIN_DISTANCE) | (steps.relative >= content.least_step)).tolist():
        # The encoder renews the picture after a flash, which looks like a small step.
        renewed = place in interrupted and steps.relative[place] < _MIN_CHANGE
        confidence, overlay = 0.0 if renewed else steps.confidence(place, content), True
        unlike = steps.relative[place] >= _UNLIKE and distance[place] >= _FAR and visibility[place] == 1
        lone = visibility[place] == 1 and steps.beside[place] >= _LONE
        if unlike and distance[place] >= _OTHER:
            confidence, overlay = max(confidence, confidence_of(float(distance[place]))), False
        elif place in interrupted and steps.relative[place] >= _ACROSS_LIKE and _stands_out(distance, place):
            confidence = max(confidence, _distance_confidence(distance, place, reach=2))
        elif steps.relative[place] >= _MIN_CHANGE and (steps.beside[place] >= _RAMP or unlike):
            confidence = max(confidence, _distance_confidence(distance, place, reach=1 if lone else 2))
        if confidence < _MIN_CONFIDENCE or (steps.relative[place] < _MIN_CHANGE and _is_fade_step(film, place)):
            continue
        if _is_glimpse(film, place, float(changes.distance[place]), frame_rate):
            continue
        if not _is_overlay(film, place, content, likely=overlay):
            cuts.append(HardCut(place, confidence))
    return cuts


def _is_overlay(film: ThumbnailFilm, place: int, content: Content, *, likely: bool) -> bool:
    """Return whether only an overlay appears or disappears at `place`.

    The picture behind it stays. `likely`: whether both frames are alike enough for an overlay on any ground. If not, only an overlay on a
    plain ground is recognized.
    """
    plain = on_plain_ground(film.at(place - 1), film.at(place))
    if not likely and not plain:
        return False
    first = max(place - _BESIDE, 0)
    area = changed_area(film.block(first, place + _BESIDE), place - first)
    return area <= (LARGEST_OVERLAY if plain else content.largest_overlay)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Changes of structure: absolute, and relative to texture and to nearby changes."""

    structure: Floats
    """Change of structure from the previous frame, in grey levels, (n,)."""
    relative: Floats
    """`structure` divided by the texture of the frames, (n,)."""
    beside: Floats
    """`structure` divided by the larger of the changes right before and after, (n,)."""
    height: Floats
    """`structure` divided by the largest of the changes nearby, (n,)."""

    @staticmethod
    def of(changes: FrameChanges, film: ThumbnailFilm) -> "_Steps":
        """Compute the structure changes of a film."""
        structure, count = changes.structure.astype(np.float64), len(changes.structure)
        nearest, nearby = np.zeros(count), np.zeros(count)
        gaps = np.diff(film.frames, prepend=film.frames[:1] - 1)
        # The first frame has no change.
        for away in range(1, min(_NEAR, count - 2) + 1):
            early, late = slice(1, count - away), slice(1 + away, count)
            for target, neighbour in ((early, late), (late, early)):
                # Where frames were skipped before the change, its gap is longer. A nearby change is scaled up to the same gap.
                usual = structure[neighbour] * np.clip(gaps[target] / gaps[neighbour], 1, _LONGEST_GAP)
                nearby[target] = np.maximum(nearby[target], usual)
            if away == 1:
                nearest = nearby.copy()
        beside, height = ((structure / (largest + STILL)).astype(np.float32) for largest in (nearest, nearby))
        beside[:1] = height[:1] = 0
        if film.held is not None:
            # A place after a copy: frames were skipped before it, and slow motion during the gap would look like a step.
            height[1:][film.held[:-1]] = 0
        return _Steps(changes.structure, changes.structure / (_higher_of_pairs(changes.texture) + NOISE), beside, height)

    def confidence(self, place: int, content: Content) -> float:
        """Return the confidence in a cut at `place`, 0 to 1, from structure changes."""
        if self.structure[place] < content.least_structure or self.relative[place] < content.least_step:
            return 0.0
        return step_confidence(float(self.height[place]))


def _stands_out(distance: Floats, place: int) -> bool:
    """Return whether the distance at `place` is far above nearby distances.

    The distance must also be large in absolute terms.
    """
    near = [float(distance[at]) for at in range(max(place - _NEAR, 1), min(place + _NEAR + 1, len(distance))) if at != place]
    return bool(distance[place] >= max(_ACROSS, _ACROSS_HEIGHT * max(near, default=0.0)))


def _distance_confidence(distance: Floats, place: int, *, reach: int) -> float:
    """Return the confidence in a cut at `place`, 0 to 1, from distances.

    Only the largest change counts among those at most `reach` places away.
    """
    change = float(distance[place])
    around = np.concatenate([distance[max(place - _NEAR, 1) : place], distance[place + 1 : place + 1 + _NEAR]])
    nearest = np.concatenate([distance[max(place - reach, 1) : place], distance[place + 1 : place + 1 + reach]])
    if len(nearest) and change < nearest.max():
        return 0.0
    # Steady motion gives the neighbours similar distances, so theirs are an estimate of the share of motion.
    motion = float(np.sort(around)[-_NEAR:].mean()) if len(around) else 0.0
    return confidence_of(less_motion(change, motion))


def step_confidence(height: float) -> float:
    """Convert a structure change's relative height to a confidence, 0 to 1.

    `height`: see `_Steps.height`. The confidence is 0.5 at a height of 1.8.
    """
    return 1 / (1 + math.pow(_STEP_AT / max(height, 1e-3), 1 / _STEP_WIDTH))


def less_motion(distance: float, motion: float) -> float:
    """Reduce a distance by the amount that motion explains.

    `motion`: mean distance of the neighbouring frames.
    """
    return distance * min(distance / max(1.6 * motion, 1e-6), 1.0)


def confidence_of(distance: float) -> float:
    """Convert a cut's distance to a confidence, 0 to 1.

    The confidence is 0.5 at CUT_AT.
    """
    return 1 / (1 + math.exp(-(distance - CUT_AT) / _CUT_WIDTH))


def _higher_of_pairs(values: Floats) -> Floats:
    """Return the larger of each value and the one before it, (n,)."""
    higher: Floats = np.maximum(values, np.concatenate([values[:1], values[:-1]]))
    return higher


def _visibility(contrast: Floats) -> Floats:
    """Rate each frame's visibility, 0 to 1, by its contrast relative to nearby frames.

    Visibility is low in the middle of a fade, where changes are no cuts.
    """
    if len(contrast) < 2:
        return np.ones(len(contrast), np.float32)
    fullest = np.lib.stride_tricks.sliding_window_view(np.pad(contrast, _DIMMED, mode="edge"), 2 * _DIMMED + 1).max(axis=1)
    visibility: Floats = np.minimum((_higher_of_pairs(contrast) + NOISE) / (0.5 * (fullest + NOISE)), 1)
    return visibility


def _is_fade_step(film: ThumbnailFilm, place: int) -> bool:
    """Return whether the change at `place` belongs to a fade.

    That is so if the frames at `place - 1` and `place` show the same picture, and one of them is fainter.
    """
    before, now = film.at(place - 1)[0].astype(np.float32), film.at(place)[0].astype(np.float32)
    fainter, fuller = sorted((float(before.std()), float(now.std())))
    if fainter < 1 or fainter > _FAINTER * fuller:
        return False
    return float(np.corrcoef(before.ravel(), now.ravel())[0, 1]) >= _SAME


def _is_glimpse(film: ThumbnailFilm, place: int, distance: float, frame_rate: float) -> bool:
    """Return whether the change at `place` belongs to a briefly visible picture.

    It does if the old picture returns at once, or if the new picture was there a moment before.
    """
    numbers, longest = film.frames, _GLIMPSE * frame_rate
    first, last = np.searchsorted(numbers, [numbers[place - 1] - longest - 0.5, numbers[place] + longest + 0.5]).tolist()
    before, now = film.block(place - 1, place + 1)
    earlier, later = film.block(first, place - 1), film.block(place + 1, last)
    old_returns = frame_distance(np.broadcast_to(before, later.shape), later).total
    new_was_there = frame_distance(earlier, np.broadcast_to(now, earlier.shape)).total
    limit = min(0.5 * distance, CUT_AT)
    return bool((old_returns < limit).any() or (new_was_there < limit).any())
