"""Dissolves and wipes: gradual transitions between two shots.

Windows of several lengths are rated as transitions from their first frame A to their last frame B. Within a dissolve, the value of every
pixel lies between its values in A and B. Within a wipe, every pixel equals A or B. In both, the share of B grows evenly. Motion instead
shows pixels that are in neither A nor B, called foreign pixels. The rating also weighs the distance of A and B, the changes before and
after the window, and whether motion explains the steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.frame_changes import FrameChanges
from services.keyframes.analysis.comparison.frame_distance import NOISE, frame_distance, histograms
from services.keyframes.analysis.comparison.structure_change import structure_change
from services.keyframes.analysis.comparison.tone_match import match_tones
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm

_HALF_LENGTHS = (3, 5, 7, 10, 14, 20, 26)
"""Half the lengths of the windows, in frames of the video."""
_MARGIN = 2 * _HALF_LENGTHS[-1]  # number of frames before, and after, a block that its windows may include
_BLOCK = 1000  # number of frames whose windows are rated at a time
_BATCH = 64  # number of windows compared at a time: their working memory fits the processor's cache
_GAP = 4  # maximum number of frames between two parts of one transition
_SLACK = 2.0  # levels by which coding and grain may change a pixel
_MIN_CONFIDENCE = 0.05  # confidence below which a window is not reported as a dissolve
_PLAIN, _FAINT = 2.0, 9.0  # contrast in levels: below the first a picture is plain, below the second it is faint
_SAME_SHAPES = 0.4  # largest change of structure between two pictures of one shot, relative to contrast
_SAME_TONES, _SAME_FAINT_TONES = 0.25, 0.12
"""Largest `FrameDistance.aligned` of two pictures of one shot after `match_tones`. The second limit is for faint pictures."""
_WORTH_DECODING = 0.3  # minimum confidence of a dissolve for which frames are decoded again

# Limits of the features of a window. A window beyond any of them is no transition, and its other features are not computed.
_MAX_UNEVEN, _MAX_FOREIGN, _MIN_CHANGE, _MIN_HISTOGRAM_CHANGE = 0.22, 0.2, 0.35, 0.1

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]
Interval = tuple[int, int]
SamePlace = Callable[[int, int], bool]
"""`same_place(before, after)`: whether two frames of the video show one place. `before` and `after` are frame numbers. Also true if the
frames between them come from one fast-moving camera."""


@dataclass(frozen=True, slots=True, order=True)
class Dissolve:
    """A gradual transition from frame A to frame B."""

    confidence: float
    """Confidence in the transition, 0 to 1."""
    before: int
    """Index of A in the film."""
    after: int
    """Index of B in the film."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Features of k possible transitions from a frame A to a frame B."""

    before: Places
    """Index of A in the film for each window, (k,)."""
    after: Places
    """Index of B in the film for each window, (k,)."""
    features: NDArray[np.float64]
    """Inputs of `confidence_of`, in the order of `WEIGHTS`, (k, 7)."""


def find_dissolves(film: ThumbnailFilm, changes: FrameChanges, cuts: set[int], fades: list[Interval]) -> list[Dissolve]:
    """Find gradual transitions that do not overlap `cuts` and `fades`.

    `cuts`: places of hard cuts. `fades`: places of the last full frame before each fade and the first full frame after it. The results do
    not overlap: of overlapping candidates the most confident stays.
    """
    blocked = _count_blocked(len(film), cuts, fades)
    blocks = [windows for start in range(0, len(film), _BLOCK) for windows in _block_windows(film, changes, blocked, start, start + _BLOCK)]
    if not blocks:
        return []
    before, after = np.concatenate([windows.before for windows in blocks]), np.concatenate([windows.after for windows in blocks])
    confidences = confidence_of(np.concatenate([windows.features for windows in blocks]))
    dissolves: list[Dissolve] = []
    for number in np.argsort(-confidences):
        if confidences[number] < _MIN_CONFIDENCE:
            break
        a, b = int(before[number]), int(after[number])
        if all(b <= dissolve.before or a >= dissolve.after for dissolve in dissolves):
            dissolves.append(Dissolve(float(confidences[number]), a, b))
    return _join_parts(dissolves, film.frames)


def shows_one_shot(film: ThumbnailFilm, dissolve: Dissolve, same_place: SamePlace) -> bool:
    """Return whether a dissolve stays within one shot.

    Such a dissolve is only a change of light, exposure or tint. Returns True if both ends are plain, show the same shapes in other tones,
    or show one place. `same_place`: see `SamePlace`.
    """
    before, after = film.at(dissolve.before), film.at(dissolve.after)
    contrast = max(float(before[0].std()), float(after[0].std()))
    if contrast < _PLAIN:
        return True
    shapes = float(structure_change(before[None], after[None])[0]) / (contrast + NOISE)
    if shapes < _SAME_SHAPES:
        return True
    numbers = film.frames
    if dissolve.confidence >= _WORTH_DECODING and same_place(int(numbers[dissolve.before]), int(numbers[dissolve.after])):
        return True
    matches = (frame_distance(match_tones(a, b), b).aligned for a, b in ((before, after), (after, before)))
    return max(float(match) for match in matches) < (_SAME_TONES if contrast >= _FAINT else _SAME_FAINT_TONES)


def _join_parts(dissolves: list[Dissolve], numbers: Places) -> list[Dissolve]:
    """Join confident dissolves that directly follow each other.

    Such dissolves are parts of one long transition. `numbers`: frame number of each place.
    """
    joined: list[Dissolve] = []
    for dissolve in sorted(dissolves, key=lambda dissolve: dissolve.before):
        last = joined[-1] if joined else None
        if last and min(dissolve.confidence, last.confidence) >= 0.5 and numbers[dissolve.before] - numbers[last.after] <= _GAP:
            joined[-1] = Dissolve(max(dissolve.confidence, last.confidence), last.before, dissolve.after)
        else:
            joined.append(dissolve)
    return joined


WEIGHTS = np.array([4.4, 0.15, 8.8, -2.65, 2.5, -16.8, -4.9])
"""Weights of the seven features of a window.

In order: log distance of A and B, change of brightness, change of colour, change around the window (see `_activity_outside`), share of the
change from frame to frame that motion does not explain, foreign pixels, unevenness.
"""
BIAS = -0.65


def confidence_of(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the confidence of windows from their features.

    `features`: (k, 7). Returns (k,), 0 to 1. Source: a logistic regression, fitted to the development films of
    `benchmarks.keyframes.bench_keyframes`.
    """
    confidence: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(features @ WEIGHTS + BIAS, -30, 30)))
    return confidence


def _count_blocked(count: int, cuts: set[int], fades: list[Interval]) -> Places:
    """Count, for each frame, the blocked frames before it.

    Blocked frames lie at cuts or within fades. No window may contain them. Returns (n + 2,) for a film of `count` = n frames.
    """
    blocked = np.zeros(count + 1, np.int64)
    for place in cuts:
        blocked[place] = 1
    for before, after in fades:
        blocked[before + 1 : after + 1] = 1
    return np.concatenate([[0], np.cumsum(blocked)])


def _block_windows(film: ThumbnailFilm, changes: FrameChanges, blocked: Places, start: int, stop: int) -> list[Windows]:
    """Compute the features of windows centred at film frames `start` to `stop` - 1.

    `blocked`: see `_count_blocked`.
    """
    first, last = max(start - _MARGIN, 0), min(stop + _MARGIN, len(film))
    thumbnails = film.block(first, last)
    count, numbers = len(thumbnails), film.frames[first:last]
    block = _Block(
        pixels=np.ascontiguousarray(thumbnails.reshape(count, -1)),
        numbers=numbers,
        blocked=blocked[first : last + 2],
    )
    light, color = _histogram_shares(thumbnails)
    contrast = changes.contrast[first:last]
    in_place, aligned = (np.concatenate([[0.0], np.cumsum(part[first:last])]) for part in (changes.in_place, changes.aligned))
    rated: list[Windows] = []
    middles = np.arange(max(start - first, 1), min(stop - first, count - 1))
    for half in _HALF_LENGTHS:
        a, b = _free_windows(block, middles, half)
        if not len(a):
            continue
        histogram_change = np.abs(light[a] - light[b]).sum(axis=1) / 2 + np.abs(color[a] - color[b]).sum(axis=1) / 4
        change = _pixel_change(block, a, b) / ((contrast[a] + contrast[b]) / 2 + 4)
        # Most windows show one still picture. All other features are only computed for the rest.
        changed = (change > _MIN_CHANGE) & (histogram_change > _MIN_HISTOGRAM_CHANGE)
        a, b = a[changed], b[changed]
        if not len(a):
            continue
        for part in range(0, len(a), _BATCH):
            windows = _rated(block, thumbnails, a[part : part + _BATCH], b[part : part + _BATCH], half, in_place, aligned)
            if windows is not None:
                rated.append(Windows(first + windows.before, first + windows.after, windows.features))
    return rated


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A block of n consecutive frames of a film.

    Places count from its start.
    """

    pixels: NDArray[np.uint8]
    """Thumbnails of the frames, (n, 3 * 18 * 32)."""
    numbers: Places
    """Numbers of the frames in the video, (n,)."""
    blocked: Places
    """Number of blocked frames before each frame. `blocked[y] - blocked[x]` of the frames x to y - 1 are blocked."""


def _rated(
    block: _Block,
    thumbnails: NDArray[np.uint8],
    a: Places,
    b: Places,
    half: int,
    in_place: NDArray[np.float64],
    aligned: NDArray[np.float64],
) -> Windows | None:
    """Compute the features of a block's windows; None without possible transitions.

    `a`, `b`: places of the windows' ends in the block. `half`: half the windows' length in frames. `in_place`, `aligned`: sums of these two
    parts of `FrameChanges` before each place of the block.
    """
    mix = _Mix(block, a, b)
    uneven, foreign = mix.unevenness_and_foreign()
    keep = (uneven < _MAX_UNEVEN) & (foreign < _MAX_FOREIGN)
    if not keep.any():
        return None
    outside = _activity_outside(block, a, b, half, mix.change)
    unexplained = (aligned[b + 1] - aligned[a + 1]) / np.maximum(in_place[b + 1] - in_place[a + 1], 1e-6)
    distance = frame_distance(thumbnails[a[keep]], thumbnails[b[keep]])
    between_ends = np.log(distance.aligned + 0.05), np.sqrt(distance.brightness), np.sqrt(distance.color)
    within = (values[keep].astype(float) for values in (outside, unexplained, foreign, uneven))
    return Windows(a[keep], b[keep], np.stack([*between_ends, *within], axis=1))


def _free_windows(block: _Block, middles: Places, half: int) -> tuple[Places, Places]:
    """Return the ends A and B of windows around `middles` without cuts and fades.

    A window reaches `half` frames to each side. Returns the places of A and of B, (k,) each.
    """
    a = np.searchsorted(block.numbers, block.numbers[middles] - half, side="right") - 1
    b = np.searchsorted(block.numbers, block.numbers[middles] + half, side="left")
    keep = (a >= 0) & (b < len(block.numbers)) & (middles - a >= 2) & (b - middles >= 2)
    a, b = a[keep], b[keep]
    free = block.blocked[b + 1] == block.blocked[a + 1]
    return a[free], b[free]


def _pixel_change(block: _Block, a: Places, b: Places) -> Matrix:
    """Measure the mean pixel change from A to B, (k,)."""
    sums = np.empty(len(a), np.float32)
    for start in range(0, len(a), _BATCH):
        part = slice(start, start + _BATCH)
        difference = cv2.absdiff(block.pixels[a[part]], block.pixels[b[part]])
        sums[part] = cv2.reduce(difference, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]
    return sums / np.float32(block.pixels.shape[1])


class _Mix:
    """Comparison of k windows with linear mixes of their frames A and B."""

    def __init__(self, block: _Block, a: Places, b: Places):
        self._block, self._a, self._b = block, a, b
        first, last = block.pixels[a].astype(np.float32), block.pixels[b].astype(np.float32)
        self._first, self._difference = first, last - first
        self._lowest, self._highest = np.minimum(first, last) - _SLACK, np.maximum(first, last) + _SLACK
        self.change = _pixel_change(block, a, b)

    def unevenness_and_foreign(self) -> tuple[Matrix, Matrix]:
        """Measure in two ways how far windows depart from linear mixes.

        Unevenness: how far the share of B departs from linear growth. Foreign: how far pixel values lie outside the range from A to B,
        relative to `change`. Both are measured at a quarter, half and three quarters of a window, and the worst value counts. Returns
        (k,) each.
        """
        numbers = self._block.numbers
        energy = np.einsum("ij,ij->i", self._difference, self._difference) + 1e-3
        uneven, foreign = np.zeros(len(self._a), np.float32), np.zeros(len(self._a), np.float32)
        for share in (0.25, 0.5, 0.75):
            target = numbers[self._a] + share * (numbers[self._b] - numbers[self._a])
            place = np.clip(np.searchsorted(numbers, target), self._a + 1, self._b - 1)
            picture = self._block.pixels[place].astype(np.float32)
            share_of_b = np.einsum("ij,ij->i", picture - self._first, self._difference) / energy
            even_share = (numbers[place] - numbers[self._a]) / (numbers[self._b] - numbers[self._a])
            uneven = np.maximum(uneven, np.abs(share_of_b - even_share))
            outside = np.maximum(picture - self._highest, 0) + np.maximum(self._lowest - picture, 0)
            foreign = np.maximum(foreign, outside.mean(axis=1) / (self.change + 1))
        return uneven, foreign


def _activity_outside(block: _Block, a: Places, b: Places, half: int, change: Matrix) -> Matrix:
    """Measure the change around each window, divided by the change within it.

    `change`: (k,), change from A to B. Returns the change right before A plus that right after B, each divided by `change`: (k,), 0 to 3.
    """
    numbers, blocked = block.numbers, block.blocked
    reach = max(half // 2, 2)
    earlier = np.maximum(np.searchsorted(numbers, numbers[a] - reach, side="right") - 1, 0)
    later = np.minimum(np.searchsorted(numbers, numbers[b] + reach, side="left"), len(numbers) - 1)
    # Beyond a cut lies another shot, whose change does not count.
    earlier = np.where(blocked[a + 1] > blocked[earlier + 1], a, earlier)
    later = np.where(blocked[later + 1] > blocked[b + 1], b, later)
    before, after = (_pixel_change(block, inner, outer) / (change + 1) for inner, outer in ((a, earlier), (b, later)))
    activity: Matrix = np.minimum(before, 1.5) + np.minimum(after, 1.5)
    return activity


def _histogram_shares(thumbnails: NDArray[np.uint8]) -> tuple[Matrix, Matrix]:
    """Compute relative histograms of n thumbnails: of brightness and of colour.

    Returns 32 levels of brightness, (n, 32), and 64 levels of each of U and V, (n, 128).
    """
    area = thumbnails[0, 0].size
    light = histograms(thumbnails[:, 0]).reshape(-1, 32, 8).sum(axis=2)
    color = np.hstack([histograms(thumbnails[:, plane]).reshape(-1, 64, 4).sum(axis=2) for plane in (1, 2)])
    return light.astype(np.float32) / area, color.astype(np.float32) / area
