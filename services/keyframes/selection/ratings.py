"""Ratings of frames: sharp, well exposed, typical of the shot, and still."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality by which frames are rated, as a row of `QUALITIES`."""

    name: str
    weight: float
    """Weight of the rating in a frame's score."""
    good: float
    """Minimum rating, 0 to 1, that counts as a reason for the choice."""
    reason: str
    """Text of the reason in the report."""


QUALITIES = (
    Quality("sharpness", 0.4, 0.85, "among the sharpest of its shot"),
    Quality("exposure", 0.2, 0.6, "well exposed"),
    Quality("typical", 0.25, 0.7, "typical of its shot"),
    Quality("stillness", 0.15, 0.7, "taken in a still moment"),
)

EDGE = 2
"""Number of frames next to a cut that are not chosen. They often show coding or editing faults."""

LAYOUT_SCALE, MOTION_SCALE = 16.0, 8.0
"""Difference in levels at which a frame's rating falls to 1/e."""
_DEDUCTION_PER_FRAME, _MAX_DEDUCTION = 0.0002, 0.02
"""Deduction from a frame's score per frame to decode, and maximum deduction. Of equally good frames, the one right after a
keyframe of the file is preferred: it is read many times as fast, and encoders spend more bytes on it."""


@dataclass(frozen=True, slots=True)
class ShotLooks:
    """Reference values of a shot, with which its frames are compared."""

    sharp: float
    """Sharpness of the shot's sharpest frames: the 95th percentile."""
    layout: Floats
    """Mean of `FrameQuality.layout` over the shot's frames, (48,)."""


def rate(sharpness: Floats, exposure: Floats, layout: Floats, pixel_change: Floats, shot: ShotLooks) -> dict[str, Floats]:
    """Rate k frames of a shot.

    `sharpness`, `exposure`, `pixel_change`: (k,), `layout`: (k, 48), as in `Scan`. Returns the name of each quality -> ratings, (k,), 0
    to 1.
    """
    return {
        "sharpness": np.minimum(sharpness / max(shot.sharp, 1e-6), 1.0),
        "exposure": exposure,
        "typical": np.exp(-np.abs(layout - shot.layout).mean(axis=1) / LAYOUT_SCALE),
        "stillness": np.exp(-pixel_change / MOTION_SCALE),
    }


def score(ratings: dict[str, Floats]) -> Floats:
    """Return the weighted sum of the ratings, (k,), 0 to 1."""
    return sum((quality.weight * ratings[quality.name] for quality in QUALITIES), np.zeros(len(ratings["exposure"])))


def price(frames_since_key: NDArray[np.int64]) -> Floats:
    """Return the score that each frame loses for its decoding time, (k,)."""
    prices: Floats = np.minimum(frames_since_key * _DEDUCTION_PER_FRAME, _MAX_DEDUCTION)
    return prices
