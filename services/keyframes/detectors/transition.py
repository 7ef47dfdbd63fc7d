"""What lies between two shots, and how a row of scores becomes such."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, order=True)
class Transition:
    """A change of shot. `start`: the first frame that is no longer of the shot before; `end`: the first that is wholly of the one after.

    At a hard cut both are the first frame of the new shot.
    """

    start: int
    end: int
    kind: Literal["cut", "fade", "dissolve"] = "cut"
    confidence: float = 1.0

    @property
    def middle(self) -> int:
        """The frame that the new shot is said to begin with."""
        return (self.start + self.end) // 2


def cuts_of(scores: Floats, threshold: float) -> list[Transition]:
    """A cut at each frame where `scores` (n,) reach `threshold`; of several in a row at the highest.

    The confidence is 0.5 at the threshold and rises to 1 at twice of it.
    """
    above = np.concatenate([[False], scores >= threshold, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1])
    cuts = []
    for start, stop in edges.reshape(-1, 2):
        at = int(start + np.argmax(scores[start:stop]))
        if at > 0:
            cuts.append(Transition(at, at, "cut", float(min(scores[at] / threshold / 2, 1.0))))
    return cuts
