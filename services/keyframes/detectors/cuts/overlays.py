"""Detection of overlays: captions, bars, logos and inset pictures.

Overlays appear or disappear while the shot continues.
"""

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.frame_changes import PLAIN
from services.keyframes.analysis.thumbnail_film import HEIGHT, WIDTH, Planes

LARGEST_OVERLAY = 0.29
"""Largest share of the picture that an overlay covers. A larger part that changes is a framed picture, and its change counts as a cut."""
_CHROMA = 1.5  # weight of changes of U and V, which are smaller than changes of Y
_MORE, _NOISE = 1.3, 2.0  # a pixel's excess is its change minus _NOISE levels and minus _MORE times its change in neighbouring steps
_CALM = 0.8  # minimum change of a neighbouring step that counts as a cut itself, as a share of the step's change
_NEARLY_ALL = 0.975  # share of the excess that lies between two opposite sides of the box
_STAYS = 4.0  # largest change, in levels, of a background that stays the same
_WIDEST_ROWS, _WIDEST_COLUMNS = 4, 6  # thickest bars at the edges, in pixels of a thumbnail


def on_plain_ground(before: Planes, after: Planes) -> bool:
    """Return whether a uniform background stays the same from `before` to `after`.

    If so, only an object in front of the background can have changed.
    """
    ground = _change(before, after) <= _STAYS
    planes = zip(before, PLAIN, strict=True)
    return bool(ground.mean() >= 1 - LARGEST_OVERLAY and all(float(plane[ground].std()) < most for plane, most in planes))


def changed_area(pictures: Planes, place: int) -> float:
    """Measure the share of the picture that changes from `place` - 1 to `place`.

    `pictures`: thumbnails of consecutive frames, (n, 3, 18, 32). `place`: index of the frame after the step, at least 1. Only
    change far above that of the neighbouring steps counts. Returns the area, 0 to 1, of the smallest box that holds nearly all of it, or of
    the bars at two opposite edges that do.
    """
    changes = [_change(pictures[at - 1], pictures[at]) for at in range(1, len(pictures))]
    # Neighbouring steps that are cuts are no measure of motion.
    calm = _CALM * changes[place - 1].mean()
    usual = [change for at, change in enumerate(changes, 1) if at != place and change.mean() < calm]
    motion = _spread(np.max(usual, axis=0)) if usual else np.zeros((HEIGHT, WIDTH))
    excess = np.maximum(changes[place - 1] - _MORE * motion - _NOISE, 0)
    rows, columns = excess.sum(axis=1), excess.sum(axis=0)
    total = float(rows.sum())
    if not total:
        return 0.0
    box = _shortest_run(rows) * _shortest_run(columns) / (HEIGHT * WIDTH)
    return min(box, _bars(rows, _WIDEST_ROWS), _bars(columns, _WIDEST_COLUMNS))


def _change(before: Planes, after: Planes) -> NDArray[np.float64]:
    """Return the change of each pixel in levels, (18, 32)."""
    change = np.abs(after.astype(np.float64) - before)
    return np.asarray(np.maximum(change[0], _CHROMA * np.maximum(change[1], change[2])))


def _spread(change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each pixel, the largest change among it and its neighbours."""
    padded = np.pad(change, 1, mode="edge")
    return np.asarray(np.max([padded[y : y + HEIGHT, x : x + WIDTH] for y in range(3) for x in range(3)], axis=0))


def _shortest_run(values: NDArray[np.float64]) -> int:
    """Return the length of the shortest run with nearly the whole sum of `values`.

    Nearly the whole sum is the share _NEARLY_ALL of it.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    least_sum = _NEARLY_ALL * sums[-1]
    return min(
        stop - start for start in range(len(values)) for stop in range(start + 1, len(values) + 1) if sums[stop] - sums[start] >= least_sum
    )


def _bars(values: NDArray[np.float64], widest: int) -> float:
    """Return the share, 0 to 1, that bars at both ends occupy.

    The bars are equally wide: as narrow as possible, but wide enough for nearly all of the sum of `values`. Returns 1 if bars of the width
    `widest` are too narrow for that.
    """
    for width in range(1, widest + 1):
        if values[:width].sum() + values[-width:].sum() >= _NEARLY_ALL**2 * values.sum():
            return 2 * width / len(values)
    return 1.0
