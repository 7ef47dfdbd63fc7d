"""Change of content against that of the frames around, so that steady motion does not count.

As PySceneDetect's `detect-adaptive`: the ratio of a frame's change to the mean of its neighbours', where it is large enough by itself.
"""

import numpy as np

from services.keyframes.detectors.transition import Floats

_AROUND = 2  # frames on each side
_LEAST = 15.0  # a change of content that is none, whatever the ratio
_MOST = 255.0


def adaptive(change: Floats) -> Floats:
    """(n,) change of content -> (n,) ratio to the mean of the two frames before and after, at most 255."""
    if len(change) < 2 * _AROUND + 1:
        return np.zeros(len(change), np.float32)
    padded = np.pad(change, _AROUND, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1).sum(axis=1) - change
    ratio = change / np.maximum(around / (2 * _AROUND), 1e-3)
    return np.where(change >= _LEAST, np.minimum(ratio, _MOST), 0).astype(np.float32)
