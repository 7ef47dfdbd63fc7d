"""Temporal smoothing of mattes along the motion.

The previous matte, moved to this frame, is mixed in where the picture confirms the motion. Unlike a plain average over time, this does not
blur moving objects. A large difference between the two mattes is a real change (an object came into view), not flicker, and stays.
"""

import cv2
import numpy as np

from services.matting.steadiness.flow import Alpha, Gray, MotionMeter

_TOLERANCE = 9.0
"""Luma error of motion compensation, 0 to 255, at which trust is 1/e. The error is the difference between a frame and the
previous frame warped to it."""
_REAL_CHANGE, _REAL_CHANGE_RANGE = 0.5, 0.3
"""Change of alpha above which smoothing weakens, and further change until it stops. Such a change is real, not flicker."""


class MatteSmoother:
    """Smoother of one clip's mattes; takes them in order."""

    def __init__(self, strength: float = 0.6) -> None:
        """Prepare a smoother of the given strength.

        `strength`: largest share of the previous matte in the result, 0 (no smoothing) to 1.
        """
        self.strength = strength
        self._meter = MotionMeter()
        self._gray: Gray | None = None
        self._alpha: Alpha | None = None

    def reset(self) -> None:
        """Forget the previous matte after a cut."""
        self._gray = self._alpha = None

    def smooth(self, gray: Gray, alpha: Alpha) -> Alpha:
        """Smooth the next frame's matte along the motion.

        `gray`: the frame's luma, (h, w); 270 lines are enough. `alpha`: the matte, (H, W) 0..1.
        """
        if self.strength > 0 and self._gray is not None and self._alpha is not None and self._alpha.shape == alpha.shape:
            motion = self._meter.between(gray, self._gray)
            moved = motion.carry(self._alpha)
            trust = np.exp(-((motion.error / _TOLERANCE) ** 2)) * np.float32(self.strength)
            share = np.asarray(cv2.resize(trust, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
            change = moved - alpha
            share *= 1 - np.clip((np.abs(change) - _REAL_CHANGE) / _REAL_CHANGE_RANGE, 0, 1)
            alpha = np.asarray(alpha + share * change, np.float32)
        self._gray, self._alpha = gray, alpha
        return alpha
