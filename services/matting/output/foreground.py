"""Estimation of the subject's colours at soft edges.

The method is blur fusion (Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021) in two passes, a wide and a narrow one. Both
run at a quarter of the size; the last correction runs at full size.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]

_WIDE, _NARROW = 90, 6  # radius of the blur in the wide and in the narrow pass, in pixels of the full size
_SHRINK = 4  # divisor of width and height for both passes


def foreground_of(rgb: Rgb, alpha: Alpha) -> Rgb:
    """Estimate the subject's colours without background.

    `rgb`: (h, w, 3); `alpha`: its matte, (h, w). Returns (h, w, 3) uint8. Where the matte is 1, the foreground equals the picture.
    """
    height, width = alpha.shape
    size = max(width // _SHRINK, 1), max(height // _SHRINK, 1)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    opacity = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)[..., None]
    near, behind = _fused(small, small, small, opacity, _WIDE // _SHRINK)
    near, behind = _fused(small, near, behind, opacity, max(_NARROW // _SHRINK, 2))
    picture, matte = rgb.astype(np.float32), alpha[..., None]
    near, behind = (np.asarray(cv2.resize(plane, (width, height)), np.float32) for plane in (near, behind))
    foreground = near + matte * (picture - matte * near - (1 - matte) * behind)
    return np.asarray(np.clip(np.rint(foreground), 0, 255), np.uint8)


def _fused(
    picture: NDArray[np.float32], near: NDArray[np.float32], behind: NDArray[np.float32], alpha: NDArray[np.float32], radius: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Run one pass of blur fusion to refine foreground colours.

    Foreground and background are averaged over a window of `radius`. The foreground is then corrected, so that both mix to the picture.
    """
    window = (2 * radius + 1, 2 * radius + 1)
    share = cv2.blur(alpha[..., 0], window)[..., None]
    averaged = cv2.blur(near * alpha, window) / (share + 1e-5)
    back = cv2.blur(behind * (1 - alpha), window) / (1 - share + 1e-5)
    corrected = averaged + alpha * (picture - alpha * averaged - (1 - alpha) * back)
    return np.clip(corrected, 0, 255).astype(np.float32), np.asarray(back, np.float32)
