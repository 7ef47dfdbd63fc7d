"""Change of the spread of brightness, each frame against the one before: motion leaves it as it is, mostly."""

import numpy as np

from services.keyframes.analysis.small_frame import Small

_BINS = 64


def histogram_change(before: Small, after: Small) -> float:
    """The share of the picture that would have to change its brightness to get from one to the other, 0 to 1."""
    change = np.bincount(before.y.ravel() >> 2, minlength=_BINS) - np.bincount(after.y.ravel() >> 2, minlength=_BINS)
    return float(np.abs(change).sum()) / 2 / before.y.size
