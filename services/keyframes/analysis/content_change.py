"""Change of hue, saturation, brightness and edges, each frame against the one before.

The measure of PySceneDetect's `detect-content` (as the documentation of its ContentDetector has it), on the small plane.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.small_frame import Small

WEIGHTS = (1.0, 1.0, 1.0, 0.2)
"""Of hue, saturation, brightness and edges."""


@dataclass(frozen=True, slots=True)
class Content:
    """A frame as the detector sees it: hue (0 to 179), saturation, brightness (0 to 255), and where edges are (0 or 255)."""

    planes: tuple[NDArray[np.uint8], ...]


def content(small: Small) -> Content:
    """Look at a frame."""
    hue, saturation, brightness = cv2.split(cv2.cvtColor(small.rgb(), cv2.COLOR_RGB2HSV))
    middle = float(np.median(brightness))
    edges = cv2.Canny(brightness, max(0.67 * middle, 0), min(1.33 * middle, 255))
    return Content((hue, saturation, brightness, cv2.dilate(edges, np.ones((3, 3), np.uint8))))


def content_change(before: Content, after: Content) -> float:
    """The weighted mean change, 0 to 255."""
    changes = [cv2.norm(a, b, cv2.NORM_L1) / a.size for a, b in zip(before.planes, after.planes, strict=True)]
    return float(np.dot(WEIGHTS, changes)) / sum(WEIGHTS)
