"""Change of content relative to the neighbouring frames, so that steady motion does not count.

As PySceneDetect's `detect-adaptive`: the ratio of a frame's change to the mean of its neighbours', where the change itself is large
enough.
"""

import numpy as np

from services.keyframes.analysis.scan import Scan
from services.keyframes.detectors.transition import Floats

_NEIGHBOURS = 2  # frames on each side
_LEAST_CHANGE = 15.0  # a smaller change of content is no cut, whatever its ratio
_MOST = 255.0


def adaptive_scores(scan: Scan) -> Floats:
    """Compute the ratio of each frame's content change to its neighbours', (n,), at most 255."""
    return scan.spread(change_ratio(scan.content_change))


def change_ratio(change: Floats) -> Floats:
    """Divide each change (k,) by the mean of the two before and the two after; at most 255."""
    if len(change) < 2 * _NEIGHBOURS + 1:
        return np.zeros(len(change), np.float32)
    padded = np.pad(change, _NEIGHBOURS, mode="edge")
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEIGHBOURS + 1).sum(axis=1) - change
    ratio = change / np.maximum(neighbours / (2 * _NEIGHBOURS), 1e-3)
    return np.where(change >= _LEAST_CHANGE, np.minimum(ratio, _MOST), 0).astype(np.float32)
