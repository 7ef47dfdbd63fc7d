"""Difference of brightness histograms between frames.

Motion changes the histogram little.
"""

import numpy as np

from services.keyframes.analysis.small_frame import SmallFrame

_BINS = 64


def histogram_change(before: SmallFrame, after: SmallFrame) -> float:
    """Measure the difference of two frames' brightness histograms.

    Returns the share of pixels that must change to turn one histogram into the other, 0 to 1.
    """
    change = np.bincount(before.y.ravel() >> 2, minlength=_BINS) - np.bincount(after.y.ravel() >> 2, minlength=_BINS)
    return float(np.abs(change).sum()) / 2 / before.y.size
