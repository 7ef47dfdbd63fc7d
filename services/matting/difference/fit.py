"""Test whether a clean plate shows the same scene as a frame."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.difference.exposure import match_exposure

Rgb = NDArray[np.uint8]

_LONGEST_SIDE = 480  # longer side of the compared pictures, in pixels
_MIN_AGREEING, _AGREES = 0.35, 4.0
"""Minimum share of pixels equal to the plate, and largest difference of equal pixels. The difference is in multiples of the noise."""
_MAX_SHIFT = 0.004
"""Largest allowed shift of the plate, as a share of the longer side."""
_SURE_SHIFT = 0.15
"""Minimum response of phase correlation, 0 to 1, at which its shift is used."""
_BETTER = 0.9
"""Largest difference of edges after the plate is shifted, relative to the difference before. With more, the shift is wrong."""


@dataclass(frozen=True, slots=True)
class PlateFit:
    """Result of comparing a plate with a frame.

    `agreeing`: share of the picture that equals the plate. `problem`: why the plate does not fit, a clause; None if it fits.
    """

    agreeing: float
    problem: str | None = None


def plate_fit(rgb: Rgb, plate: Rgb) -> PlateFit:
    """Test whether a plate shows a frame's scene.

    `rgb`: the frame, (H, W, 3). `plate`: (h, w, 3) of any size; another shape is a problem.
    """
    height, width = rgb.shape[:2]
    if abs(plate.shape[1] / plate.shape[0] - width / height) > 0.02 * width / height:
        return PlateFit(0.0, f"the plate ({plate.shape[1]}x{plate.shape[0]}) has another aspect ratio than the clip ({width}x{height})")
    factor = min(_LONGEST_SIDE / max(width, height), 1)
    size = max(round(width * factor), 8), max(round(height * factor), 8)
    small, before = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) for picture in (rgb, plate))
    matched = match_exposure(small, before)
    alike = np.abs(small - matched.plate).max(2) < _AGREES * max(matched.noise, 2.0)
    agreeing = float(alike.mean())
    shift = _shift(small, matched.plate, alike)
    if shift > max(_MAX_SHIFT * max(size), 1.0):
        return PlateFit(agreeing, f"the camera has moved: the plate is shifted by {shift / factor:.0f} pixels")
    if agreeing < _MIN_AGREEING:
        return PlateFit(agreeing, f"only {100 * agreeing:.0f} % of the picture looks like the plate")
    return PlateFit(agreeing)


def _shift(small: NDArray[np.float32], plate: NDArray[np.float32], alike: NDArray[np.bool_]) -> float:
    """Measure the shift between plate and frame, in pixels.

    Returns 0 if the shift cannot be measured.
    """
    gray, before = small.mean(2), plate.mean(2)
    # A subject, which differs from the plate, must not count.
    far = cv2.erode((~alike).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    gray, before = np.where(far, 0, _edges(gray)), np.where(far, 0, _edges(before))
    window = cv2.createHanningWindow(gray.shape[::-1], cv2.CV_32F)
    (across, down), response = cv2.phaseCorrelate(before.astype(np.float32), gray.astype(np.float32), window)
    if response <= _SURE_SHIFT:
        return 0.0
    # A repeated pattern, or a subject that hides most of the texture, can correlate at a wrong shift. Only a true shift makes the edges
    # agree.
    moved = cv2.warpAffine(before, np.array([[1, 0, across], [0, 1, down]], np.float32), before.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    agrees = np.abs(gray - moved).mean() < _BETTER * np.abs(gray - before).mean()
    return float(np.hypot(across, down)) if agrees else 0.0


def _edges(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(gray - cv2.GaussianBlur(gray, (0, 0), 3), np.float32)
