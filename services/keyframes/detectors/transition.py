"""Transitions between shots, and cuts at peaks of frame scores."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, order=True)
class Transition:
    """A change from one shot to the next.

    At a hard cut, `start` and `end` are both the first frame of the new shot.
    """

    start: int
    """Number of the first frame that no longer shows the old shot alone."""
    end: int
    """Number of the first frame that shows the new shot alone."""
    kind: Literal["cut", "fade", "dissolve"] = "cut"
    confidence: float = 1.0
    """Confidence in the transition, 0 to 1."""

    @property
    def middle(self) -> int:
        """Frame halfway through the transition, at which the new shot begins."""
        return (self.start + self.end) // 2


def cuts_at_peaks(scores: Floats, threshold: float) -> list[Transition]:
    """Place a cut at each peak of frame scores.

    `scores`: (n,). A peak is the highest score of consecutive frames that reach `threshold`. The confidence is 0.5 at the threshold and
    rises to 1 at twice the threshold.
    """
    above = np.concatenate([[False], scores >= threshold, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1])
    cuts = []
    for start, stop in edges.reshape(-1, 2):
        peak = int(start + np.argmax(scores[start:stop]))
        if peak > 0:
            cuts.append(Transition(peak, peak, "cut", float(min(scores[peak] / threshold / 2, 1.0))))
    return cuts
