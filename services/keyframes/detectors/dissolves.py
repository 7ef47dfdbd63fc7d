"""Dissolves and wipes: between two pictures far apart lie some that are mixed of both, ever more of the second.

Each stretch of several lengths is tried as a transition from its first frame A to its last B. In a dissolve every pixel between
them lies between A's and B's, in a wipe it is one of them, and the share of B grows evenly; where something moves, pixels come up that
are neither. That is weighed against how far A and B are apart, how quiet it is before and after, and whether a shift explains the steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.consecutive import Steps
from services.keyframes.analysis.frame_distance import apart, histograms
from services.keyframes.analysis.thumbnail_film import TinyFilm

_HALVES = (3, 5, 7, 10, 14, 20, 26)
"""Half the lengths that are tried, in frames of the video."""
_MARGIN = 2 * _HALVES[-1]
_AT_ONCE = 1000
_SAME = 4  # frames between two parts of one transition
_SLACK = 2.0  # what coding and grain may change of a pixel

# Looked at more closely is only what may be one at all.
_MOST_UNEVEN, _MOST_NEITHER, _LEAST_CHANGE, _LEAST_OTHER = 0.22, 0.2, 0.35, 0.1

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True, order=True)
class Gradual:
    """A gradual transition: how sure it is (0 to 1), and the places of its A and B."""

    confidence: float
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches that may be transitions, (k,) each: places of A and B, and what was measured between (k, FEATURES)."""

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    features: NDArray[np.float64]


def gradual(film: TinyFilm, steps: Steps, cuts: set[int], taken: list[tuple[int, int]]) -> list[Gradual]:
    """Transitions that do not overlap each other, the surest first found. They hold no cut (`cuts`, places) and touch nothing `taken`."""
    windows = [one for start in range(0, len(film), _AT_ONCE) for one in _windows(film, steps, cuts, taken, start, start + _AT_ONCE)]
    if not windows:
        return []
    before, after = np.concatenate([one.before for one in windows]), np.concatenate([one.after for one in windows])
    sure = confidence(np.concatenate([one.features for one in windows]))
    chosen: list[Gradual] = []
    for number in np.argsort(-sure):
        if sure[number] < 0.05:
            break
        a, b = int(before[number]), int(after[number])
        if all(b <= one.before or a >= one.after for one in chosen):
            chosen.append(Gradual(float(sure[number]), a, b))
    return _joined(chosen, film.frames)


def _joined(found: list[Gradual], number: NDArray[np.int64]) -> list[Gradual]:
    """Parts that follow each other at once are one long transition."""
    joined: list[Gradual] = []
    for one in sorted(found, key=lambda one: one.before):
        last = joined[-1] if joined else None
        if last and min(one.confidence, last.confidence) >= 0.5 and number[one.before] - number[last.after] <= _SAME:
            joined[-1] = Gradual(max(one.confidence, last.confidence), last.before, one.after)
        else:
            joined.append(one)
    return joined


WEIGHTS = np.array([4.4, 0.15, 8.8, -2.65, 2.5, -16.8, -4.9])
BIAS = -0.65


def confidence(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, FEATURES) -> (k,), 0 to 1: a logistic regression, fitted to the development films of `benchmarks.bench_keyframes`."""
    return 1 / (1 + np.exp(-np.clip(features @ WEIGHTS + BIAS, -30, 30)))


def _windows(film: TinyFilm, steps: Steps, cuts: set[int], taken: list[tuple[int, int]], start: int, stop: int) -> list[Windows]:
    """Those whose middle is one of the places `start` to `stop`."""
    first, last = max(start - _MARGIN, 0), min(stop + _MARGIN, len(film))
    planes = film.block(first, last)
    count = len(planes)
    number = film.frames[first:last]
    pixels = planes.reshape(count, -1).astype(np.float32)
    light, color = _histograms(planes)
    barred = np.zeros(count + 1, np.int64)
    for place in cuts:
        if first <= place < last:
            barred[place - first] = 1
    for a, b in taken:
        barred[max(a + 1 - first, 0) : max(b + 1 - first, 0)] = 1
    so_far = np.concatenate([[0], np.cumsum(barred)])
    contrast, still, moved = steps.contrast[first:last], steps.still[first:last], steps.moved[first:last]
    still_so_far, moved_so_far = (np.concatenate([[0.0], np.cumsum(values)]) for values in (still, moved))
    found: list[Windows] = []
    middles = np.arange(max(start - first, 1), min(stop - first, count - 1))
    for half in _HALVES:
        a = np.searchsorted(number, number[middles] - half, side="right") - 1
        b = np.searchsorted(number, number[middles] + half, side="left")
        keep = (a >= 0) & (b < count) & (middles - a >= 2) & (b - middles >= 2)
        m, a, b = middles[keep], a[keep], b[keep]
        keep = so_far[b + 1] == so_far[a + 1]
        m, a, b = m[keep], a[keep], b[keep]
        if not len(m):
            continue
        shape = _Shape(pixels, number, a, b)
        change = shape.size / ((contrast[a] + contrast[b]) / 2 + 4)
        other = np.abs(light[a] - light[b]).sum(axis=1) / 2, np.abs(color[a] - color[b]).sum(axis=1) / 4
        uneven, neither = shape.between()
        keep = (uneven < _MOST_UNEVEN) & (neither < _MOST_NEITHER) & (change > _LEAST_CHANGE) & (other[0] + other[1] > _LEAST_OTHER)
        if not keep.any():
            continue
        outside = _outside(pixels, number, so_far, a, b, half, shape.size)
        explained = (moved_so_far[b + 1] - moved_so_far[a + 1]) / np.maximum(still_so_far[b + 1] - still_so_far[a + 1], 1e-6)
        pairs = apart(planes[a[keep]], planes[b[keep]])
        seen = np.log(pairs.moved + 0.05), np.sqrt(pairs.light), np.sqrt(pairs.color)
        features = np.stack([*seen, *(values[keep].astype(float) for values in (outside, explained, neither, uneven))], axis=1)
        found.append(Windows(first + a[keep], first + b[keep], features))
    return found


class _Shape:
    """How the pictures between A and B lie between them, for k stretches at once."""

    def __init__(self, pixels: Matrix, number: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]):
        self._pixels, self._number, self._a, self._b = pixels, number, a, b
        first, last = pixels[a], pixels[b]
        self._first, self._change = first, last - first
        self._lowest, self._highest = np.minimum(first, last) - _SLACK, np.maximum(first, last) + _SLACK
        self.size: Matrix = np.abs(self._change).mean(axis=1)

    def between(self) -> tuple[Matrix, Matrix]:
        """How far the share of B is from even growth at most, and how much of the pictures at most is of neither."""
        energy = np.einsum("ij,ij->i", self._change, self._change) + 1e-3
        uneven, neither = np.zeros(len(self._a), np.float32), np.zeros(len(self._a), np.float32)
        for share in (0.25, 0.5, 0.75):
            wanted = self._number[self._a] + share * (self._number[self._b] - self._number[self._a])
            place = np.clip(np.searchsorted(self._number, wanted), self._a + 1, self._b - 1)
            picture = self._pixels[place]
            reached = np.einsum("ij,ij->i", picture - self._first, self._change) / energy
            even = (self._number[place] - self._number[self._a]) / (self._number[self._b] - self._number[self._a])
            uneven = np.maximum(uneven, np.abs(reached - even))
            over = np.maximum(picture - self._highest, 0) + np.maximum(self._lowest - picture, 0)
            neither = np.maximum(neither, over.mean(axis=1) / (self.size + 1))
        return uneven, neither


def _outside(
    pixels: Matrix,
    number: NDArray[np.int64],
    so_far: NDArray[np.int64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    half: int,
    size: Matrix,
) -> Matrix:
    """How much happens before A and after B, against the change from A to B; 0 to 3."""
    reach = max(half // 2, 2)
    earlier = np.maximum(np.searchsorted(number, number[a] - reach, side="right") - 1, 0)
    later = np.minimum(np.searchsorted(number, number[b] + reach, side="left"), len(number) - 1)
    # Beyond a cut lies something else.
    earlier = np.where(so_far[a + 1] > so_far[earlier + 1], a, earlier)
    later = np.where(so_far[later + 1] > so_far[b + 1], b, later)
    before, after = (np.abs(pixels[x] - pixels[y]).mean(axis=1) / (size + 1) for x, y in ((a, earlier), (b, later)))
    outside: Matrix = np.minimum(before, 1.5) + np.minimum(after, 1.5)
    return outside


def _histograms(planes: NDArray[np.uint8]) -> tuple[Matrix, Matrix]:
    """Of each frame the shares of 32 levels of brightness, and of 64 levels each of both colours."""
    area = planes[0, 0].size
    light = histograms(planes[:, 0]).reshape(-1, 32, 8).sum(axis=2)
    color = np.hstack([histograms(planes[:, plane]).reshape(-1, 64, 4).sum(axis=2) for plane in (1, 2)])
    return light.astype(np.float32) / area, color.astype(np.float32) / area
