"""Detection of overlays that change within a shot.

Overlays are caption bars, banners and inset pictures.
"""

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]

_LARGEST = 0.35
"""Largest share of the picture that an overlay covers."""
_NOISE = 8.0
"""Largest change of a pixel, in levels, that counts as noise."""
_NEARLY_ALL = 0.94
"""Minimum share of the pictures' squared difference within an overlay's rows, and its columns."""
_MARGIN = 2
"""Width in pixels of a border around the overlay that is not compared."""
_SAME, _FLAT, _EQUAL = 0.75, 2.0, 4.0
"""Limits for the surroundings of an overlay, which must be equal in both pictures.

Minimum correlation; largest standard deviation of flat surroundings, and largest difference of their means, both in levels."""
_DARK, _BRIGHT = 30.0, 225.0
"""Lowest and highest mean level of flat surroundings that are compared. Darker or brighter ones are equal in different shots, too."""


def only_overlay_changed(before: Picture, after: Picture) -> bool:
    """Return whether two thumbnails differ only by an overlay.

    `before`, `after`: (h, w) in levels, aligned. An overlay changes in one box, with about a third of the picture or more around it, where
    both thumbnails show the same. True also if nothing changed. False if both are flat and very dark or bright around the box: such
    surroundings tell nothing.
    """
    change = np.square(np.maximum(np.abs(after - before) - _NOISE, 0))
    if not change.any():
        return True
    (top, bottom), (left, right) = _shortest_run(change.sum(axis=1)), _shortest_run(change.sum(axis=0))
    if (bottom - top) * (right - left) > _LARGEST * change.size:
        return False
    around = np.ones(change.shape, np.bool_)
    around[max(top - _MARGIN, 0) : bottom + _MARGIN, max(left - _MARGIN, 0) : right + _MARGIN] = False
    if around.sum() < (1 - _LARGEST) * change.size / 2:
        return False
    a, b = before[around], after[around]
    flat = [float(part.std()) < _FLAT for part in (a, b)]
    if all(flat):
        return bool(abs(a.mean() - b.mean()) <= _EQUAL and _DARK <= a.mean() <= _BRIGHT)
    if any(flat):
        return False
    return float(np.corrcoef(a, b)[0, 1]) >= _SAME


def _shortest_run(values: NDArray[np.float64]) -> tuple[int, int]:
    """Return the shortest run of `values` that holds nearly all of their sum.

    Returns its start and the index after its end.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    least = _NEARLY_ALL * sums[-1]
    # For each start, the first stop that reaches the sum.
    stops = np.searchsorted(sums, sums[:-1] + least - 1e-9 * sums[-1])
    runs = [(int(stop) - start, start) for start, stop in enumerate(stops.tolist()) if stop < len(sums)]
    length, start = min(runs)
    return start, start + length
