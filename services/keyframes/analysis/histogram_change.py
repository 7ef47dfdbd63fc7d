"""Change of the brightness histogram from one frame to the next. Motion changes it little."""

import numpy as np

from services.keyframes.analysis.small_frame import SmallFrame

_BINS = 64


def histogram_change(before: SmallFrame, after: SmallFrame) -> float:
    """Return the share of pixels that must change to equal the other histogram, 0 to 1."""
    change = np.bincount(before.y.ravel() >> 2, minlength=_BINS) - np.bincount(after.y.ravel() >> 2, minlength=_BINS)
    return float(np.abs(change).sum()) / 2 / before.y.size
