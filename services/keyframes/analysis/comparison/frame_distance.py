"""Distance between two frames.

The distance is small within a shot, even with motion, and large between two shots.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.thumbnail_film import HEIGHT, WIDTH, Planes

# Search range and block size in pixels of a 32x18 thumbnail. The range covers a fast pan from one frame to the next. Smaller blocks match
# in too many places.
_REACH_X, _REACH_Y = 7, 3
_BLOCK_H, _BLOCK_W = 6, 4
NOISE = 4.0
"""Constant, in grey levels, added to every contrast that a change is divided by. It keeps noise in flat pictures from counting."""
_BATCH = 256  # number of pairs compared at a time: their working memory fits the processor's cache
_WIDTHS = 16, 8, 8  # change of Y, U and V, in levels, from which on a pixel counts as fully changed; smaller changes count in part

_FEW = 8
"""Maximum number of pairs that are compared at all offsets at once. Their working memory fits the processor's cache."""

Floats = NDArray[np.float64]
Sums = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class FrameDistance:
    """Four measures of the distance between the frames of n pairs.

    Each part has shape (n,), or is a scalar for one pair. A part is a share of the picture or relative to its contrast, so dark and bright
    films give similar values.
    """

    in_place: Floats
    """Mean change of brightness per pixel, relative to the contrast."""
    aligned: Floats
    """Same as `in_place`, but after each block is moved to its best match. This is the change that motion does not explain."""
    brightness: Floats
    """Share of the picture whose brightness changed, 0 to 1."""
    color: Floats
    """Share of the picture whose colour changed, 0 to 1."""

    @property
    def total(self) -> Floats:
        """Weighted sum of `aligned`, `brightness` and `color`.

        Equal pictures give 0. Pictures of two different shots give about 0.45 or more.
        """
        total: Floats = self.aligned + 0.5 * self.brightness + self.color
        return total


def frame_distance(before: Planes, after: Planes) -> FrameDistance:
    """Measure the distance between two thumbnails, or in each of n pairs.

    Shapes: (3, 18, 32) for two, (n, 3, 18, 32) for n pairs. A pair in a batch takes a tenth of the time of a single pair.
    """
    if before.ndim == 3:
        return FrameDistance(*(values[0] for values in _compare(before[None], after[None])))
    batches = [_compare(before[start : start + _BATCH], after[start : start + _BATCH]) for start in range(0, len(before), _BATCH)]
    if not batches:
        return FrameDistance(*np.empty((4, 0)))
    return FrameDistance(*(np.concatenate(values) for values in zip(*batches, strict=True)))


def _compare(before: Planes, after: Planes) -> tuple[Floats, Floats, Floats, Floats]:
    contrast = (before[:, 0].std(axis=(1, 2)) + after[:, 0].std(axis=(1, 2))) / 2 + NOISE
    in_place, aligned = _block_change(before[:, 0], after[:, 0])
    brightness, blue, red = (_histogram_change(before[:, plane], after[:, plane], width) for plane, width in enumerate(_WIDTHS))
    return in_place / contrast, aligned / contrast, brightness, (blue + red) / 2


def _histogram_change(before: Planes, after: Planes, width: int) -> Floats:
    """Measure how much the histograms of n pairs of planes differ.

    Returns the share of pixels, 0 to 1, that must change to turn one histogram into the other, (n,). A pixel that moves by less than
    `width` levels counts in proportion, because coding, exposure and fades shift all pixels slightly within one shot.
    """
    count = len(before)
    cumulated = np.zeros((count, 256 + 2 * width))
    cumulated[:, width : 256 + width] = np.cumsum(histograms(after) - histograms(before), axis=1)
    share: Floats = np.abs(cumulated[:, width:] - cumulated[:, :-width]).sum(axis=1) / width / 2 / before[0].size
    return share


def histograms(planes: Planes) -> NDArray[np.int64]:
    """Compute the histograms of n planes, (n, 256)."""
    counts = np.empty((len(planes), 256), np.int64)
    for start in range(0, len(planes), _BATCH):
        part = planes[start : start + _BATCH]
        levels = part.reshape(len(part), -1) + 256 * np.arange(len(part))[:, None]
        counts[start : start + _BATCH] = np.bincount(levels.ravel(), minlength=256 * len(part)).reshape(len(part), 256)
    return counts


def _block_change(before: Planes, after: Planes) -> tuple[Floats, Floats]:
    """Measure the luma change of n pairs, unshifted and with blocks aligned.

    Returns the unshifted change and the change with each block at its best match nearby, (n,) each, in levels.
    """
    changes = _changes_of_few if len(before) <= _FEW else _changes_of_many
    in_place, best = changes(before, after)
    area = _BLOCK_H * _BLOCK_W
    return in_place.mean(axis=(0, 1)) / area, best.mean(axis=(0, 1)) / area


def _changes_of_many(before: Planes, after: Planes) -> tuple[Sums, Sums]:
    """Sum each block's absolute differences, unshifted and at the best shift.

    The best shift is the one with the smallest sum. A sum is at most 24 * 255, which int16 holds. Returns (blocks down, blocks across, n)
    each.
    """
    # Pairs lie along the last axis, so that each NumPy operation handles one pixel of all pairs at once.
    padded = np.pad(np.moveaxis(before, 0, -1), ((_REACH_Y, _REACH_Y), (_REACH_X, _REACH_X), (0, 0)), mode="edge").astype(np.int16)
    target = np.ascontiguousarray(np.moveaxis(after, 0, -1)).astype(np.int16)

    def changes(y: int, x: int) -> Sums:
        """Sum each block's absolute differences at the shift `y`, `x`."""
        change = np.abs(padded[y : y + HEIGHT, x : x + WIDTH] - target)
        blocks = change.reshape(HEIGHT // _BLOCK_H, _BLOCK_H, WIDTH // _BLOCK_W, _BLOCK_W, -1)
        return np.asarray(blocks.sum(axis=(1, 3), dtype=np.int16))

    in_place = changes(_REACH_Y, _REACH_X)
    best = in_place
    for y in range(2 * _REACH_Y + 1):
        for x in range(2 * _REACH_X + 1):
            best = np.minimum(best, changes(y, x))
    return in_place, best


def _changes_of_few(before: Planes, after: Planes) -> tuple[Sums, Sums]:
    """Compute the same sums as `_changes_of_many`, faster for a few pairs.

    For a few pairs, calling a hundred small NumPy operations would take longer than their work.
    """
    padded = np.pad(before, ((0, 0), (_REACH_Y, _REACH_Y), (_REACH_X, _REACH_X)), mode="edge").astype(np.int16)
    shifted = np.lib.stride_tricks.sliding_window_view(padded, (HEIGHT, WIDTH), axis=(1, 2))
    change = np.abs(shifted - after[:, None, None].astype(np.int16))
    rows = change.reshape(len(before), -1, HEIGHT // _BLOCK_H, _BLOCK_H, WIDTH).sum(axis=3, dtype=np.int16)
    blocks = rows.reshape(*rows.shape[:3], WIDTH // _BLOCK_W, _BLOCK_W).sum(axis=4, dtype=np.int16)
    in_place = blocks[:, _REACH_Y * (2 * _REACH_X + 1) + _REACH_X]
    return np.moveaxis(in_place, 0, -1), np.moveaxis(blocks.min(axis=1), 0, -1)
