"""Flicker of mattes, measured without a true matte.

Each matte is compared with the previous matte, moved along the picture's motion.
"""

import math

import numpy as np

from services.matting.steadiness.flow import Alpha, Gray, MotionMeter

_MAX_ERROR = 12.0
"""Largest luma error of motion compensation, 0 to 255, in measured pixels. Pixels with a larger error are left out: their motion is wrong,
or an object came into view."""


class FlickerMeter:
    """Flicker meter of one clip; takes its mattes in order.

    Call `reset` at cuts.
    """

    def __init__(self) -> None:
        self._meter = MotionMeter()
        self._gray: Gray | None = None
        self._alpha: Alpha | None = None

    def reset(self) -> None:
        """Forget the previous matte after a cut."""
        self._gray = self._alpha = None

    def measure(self, gray: Gray, alpha: Alpha) -> float | None:
        """Return the flicker between the previous frame and this frame.

        `gray`: the frame's luma (h, w), at most 270 lines. `alpha`: (h, w) of the same size, 0..1. The flicker is the root mean square of
        the difference between the matte and the moved previous matte, times 100, like dtSSD. Returns None for the first frame of a shot.
        """
        flicker = None
        if self._gray is not None and self._alpha is not None:
            motion = self._meter.between(gray, self._gray)
            followed = motion.error < _MAX_ERROR
            change = (alpha - motion.carry(self._alpha))[followed]
            flicker = float(math.sqrt(float(np.mean(change.astype(np.float64) ** 2))) * 1e2) if change.size else None
        self._gray, self._alpha = gray, alpha
        return flicker
