"""Measure the flicker of mattes without a true matte.

Each matte is compared with the matte before, moved along the picture's motion.
"""

import math

import numpy as np

from services.matting.steadiness.flow import Alpha, Gray, MotionMeter

_MOST_ERROR = 12.0
"""Where the picture differs by more than this (of 255) along the motion, the motion is wrong or something came into view."""


class FlickerMeter:
    """Measures the flicker of a clip's mattes in order; reset it at cuts."""

    def __init__(self) -> None:
        self._meter = MotionMeter()
        self._gray: Gray | None = None
        self._alpha: Alpha | None = None

    def reset(self) -> None:
        """Forget the last matte, at a cut."""
        self._gray = self._alpha = None

    def measure(self, gray: Gray, alpha: Alpha) -> float | None:
        """Return the flicker from the last frame to this one: as dtSSD, times 100, but against the moved matte; None for a first frame.

        `gray`: the frame's luma (h, w) in at most 270 lines. `alpha`: (h, w) of the same size, 0..1.
        """
        flicker = None
        if self._gray is not None and self._alpha is not None:
            motion = self._meter.between(gray, self._gray)
            followed = motion.error < _MOST_ERROR
            change = (alpha - motion.carry(self._alpha))[followed]
            flicker = float(math.sqrt(float(np.mean(change.astype(np.float64) ** 2))) * 1e2) if change.size else None
        self._gray, self._alpha = gray, alpha
        return flicker
