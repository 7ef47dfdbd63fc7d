"""Mean pixel difference between frames.

Source: the Video Keyframe Extraction API.
"""

import cv2

from services.keyframes.analysis.small_frame import SmallFrame


def pixel_change(before: SmallFrame, after: SmallFrame) -> float:
    """Return the mean absolute difference of luma, 0 to 255."""
    return cv2.norm(before.y, after.y, cv2.NORM_L1) / before.y.size
