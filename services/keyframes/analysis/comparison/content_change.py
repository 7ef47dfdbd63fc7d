"""Change of hue, saturation, brightness and edges between frames.

Source: PySceneDetect's `detect-content`, as documented for its ContentDetector. Measured here on small frames.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.small_frame import SmallFrame

WEIGHTS = (1.0, 1.0, 1.0, 0.2)
"""Weights of hue, saturation, brightness and edges."""


@dataclass(frozen=True, slots=True)
class ContentPlanes:
    """Hue, saturation, brightness and edges of a frame."""

    planes: tuple[NDArray[np.uint8], ...]
    """Four planes, uint8: hue, saturation, brightness, edges. Hue is 0 to 179, edges 0 or 255, the others 0 to 255."""


def content_planes(small: SmallFrame) -> ContentPlanes:
    """Compute a frame's hue, saturation, brightness and edges."""
    hue, saturation, brightness = cv2.split(np.asarray(cv2.cvtColor(small.rgb(), cv2.COLOR_RGB2HSV), np.uint8))
    middle = float(np.median(brightness))
    edges = cv2.Canny(brightness, max(0.67 * middle, 0), min(1.33 * middle, 255))
    thick_edges = cv2.dilate(edges, np.ones((3, 3), np.uint8))
    return ContentPlanes(tuple(np.asarray(plane, np.uint8) for plane in (hue, saturation, brightness, thick_edges)))


def content_change(before: ContentPlanes, after: ContentPlanes) -> float:
    """Return the weighted mean change of hue, saturation, brightness and edges.

    The change is 0 to 255.
    """
    changes = [cv2.norm(old, new, cv2.NORM_L1) / old.size for old, new in zip(before.planes, after.planes, strict=True)]
    return float(np.dot(WEIGHTS, changes)) / sum(WEIGHTS)
