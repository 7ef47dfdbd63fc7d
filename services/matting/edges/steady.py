"""Smoothing of a matte over time, along the motion of the picture.

The matte of the frame before follows the motion (DIS optical flow: Kroeger et al., ECCV 2016), and is mixed in where the picture itself
shows that the motion is right. A plain average over time would leave trails.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.float32]
Gray = NDArray[np.uint8]

_TOLERANCE = 9.0
"""Levels (of 255) by which a moved pixel may differ and still be trusted by a third."""
_BLUR = 1.5
_REAL_CHANGE, _REAL_CHANGE_WIDTH = 0.5, 0.3
"""A larger disagreement of two mattes is a real change, not flicker."""


class Steady:
    """Smooths the mattes of a clip, in order. `strength`: 0 to 1."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._gray: Gray | None = None
        self._alpha: Alpha | None = None

    def __call__(self, alpha: Alpha, gray: Gray, *, cut: bool) -> Alpha:
        """Return the smoothed matte (h, w). `gray`: luma of the frame, in its own size; `cut`: nothing before counts."""
        before, self._gray = self._gray, gray
        if cut or before is None or self._alpha is None or self._alpha.shape != alpha.shape:
            self._alpha = alpha
            return alpha
        height, width = alpha.shape
        back = np.asarray(self._flow.calc(gray, before, _no_flow()), np.float32)  # where each pixel was in the frame before
        was = _moved(before, back)
        error = cv2.GaussianBlur(np.abs(was.astype(np.float32) - gray), (0, 0), _BLUR)
        trust = cv2.resize(np.exp(-((error / _TOLERANCE) ** 2)), (width, height)) * self._strength
        scale = np.array([width / gray.shape[1], height / gray.shape[0]], np.float32)
        warped = _moved(self._alpha, cv2.resize(back, (width, height)) * scale)
        trust *= 1 - np.clip((np.abs(warped - alpha) - _REAL_CHANGE) / _REAL_CHANGE_WIDTH, 0, 1)
        self._alpha = np.asarray(alpha + trust * (warped - alpha), np.float32)
        return self._alpha


def _moved(plane: NDArray[Any], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.asarray(cv2.remap(plane, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _no_flow() -> Any:
    """No flow to start from: OpenCV takes None, which its stubs do not know."""
    return None
