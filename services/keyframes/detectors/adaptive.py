"""Detector `adaptive`: change of content relative to neighbouring frames.

The score is the ratio of a frame's change to the mean change of its neighbours, or 0 for a small change. So steady motion gives low scores.
Source: PySceneDetect's `detect-adaptive`.
"""

import numpy as np

from services.keyframes.analysis.scan import Scan
from services.keyframes.detectors.transition import Floats

_NEIGHBOURS = 2  # number of frames on each side that a frame is compared with
_MIN_CHANGE = 15.0  # content change, 0 to 255, below which a frame scores 0
_MAX_SCORE = 255.0  # highest score


def adaptive_scores(scan: Scan) -> Floats:
    """Score every frame by its content change relative to neighbours.

    Returns (n,), 0 to 255; skipped frames get 0.
    """
    return scan.spread(change_ratio(scan.content_change))


def change_ratio(change: Floats) -> Floats:
    """Divide each change by the mean change of neighbouring frames.

    `change`: (k,). The neighbours are the two changes before and the two after. Returns (k,), at most 255; 0 for small changes and for
    fewer than five frames.
    """
    if len(change) < 2 * _NEIGHBOURS + 1:
        return np.zeros(len(change), np.float32)
    padded = np.pad(change, _NEIGHBOURS, mode="edge")
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEIGHBOURS + 1).sum(axis=1) - change
    ratio = change / np.maximum(neighbours / (2 * _NEIGHBOURS), 1e-3)
    return np.where(change >= _MIN_CHANGE, np.minimum(ratio, _MAX_SCORE), 0).astype(np.float32)
