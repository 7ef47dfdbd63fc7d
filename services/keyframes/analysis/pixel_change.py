"""The detector of the Video Keyframe Extraction API: the mean change of the pixels, over a threshold."""

import cv2

from services.keyframes.analysis.small_frame import Small


def difference(before: Small, after: Small) -> float:
    """Mean change of the luma from one frame to the next, 0 to 255."""
    return cv2.norm(before.y, after.y, cv2.NORM_L1) / before.y.size
