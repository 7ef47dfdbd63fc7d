"""Detectors that cut where a frame's score reaches a threshold."""

from collections.abc import Callable

import numpy as np

from services.keyframes.analysis.scan import Scan
from services.keyframes.detectors.footage import Detection, Footage
from services.keyframes.detectors.transition import Floats, cuts_at_peaks

SCORE_DIGITS = 4
"""Decimal places of scores in results."""


def cuts_by(frame_scores: Callable[[Scan], Floats]) -> Callable[[Footage, float], Detection]:
    """Return a detector that places cuts at the peaks of frame scores.

    `frame_scores`: returns the score of every frame of a scan, (n,).
    """

    def detect(footage: Footage, threshold: float) -> Detection:
        scan = footage.scan()
        # Scores are rounded as in the result, so that a client who applies a threshold to them gets the same shots.
        scores = np.round(frame_scores(scan), SCORE_DIGITS)
        return Detection(scan=scan, transitions=cuts_at_peaks(scores, threshold), scores=scores)

    return detect


def content_scores(scan: Scan) -> Floats:
    """Return each frame's colour and edge change, 0 to 255."""
    return scan.spread(scan.content_change)


def histogram_scores(scan: Scan) -> Floats:
    """Return each frame's brightness histogram change, 0 to 1."""
    return scan.spread(scan.histogram_change)


def difference_scores(scan: Scan) -> Floats:
    """Return each frame's mean pixel change, 0 to 255."""
    return scan.spread(scan.pixel_change)
