"""Technical quality of a picture, combined from several measures."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.aesthetics.measures.blank_frames import Shows, shows
from services.aesthetics.measures.exposure import exposure
from services.aesthetics.measures.motion_blur import steadiness
from services.aesthetics.measures.noise import cleanness, without_noise
from services.aesthetics.measures.sharpness import sharpness

WEIGHTS = {"sharpness": 0.40, "exposure": 0.25, "steadiness": 0.20, "cleanness": 0.15}
"""Weight of each measure in the quality. The weights add up to 1."""

SHOWS_FACTOR = {"picture": 1.0, "title": 0.3, "plain": 0.05, "black": 0.0}
"""Content of a frame -> factor that its quality is multiplied by."""

LONG_SIDE = 960
"""Longer side, in pixels, to which a larger picture is scaled. Only noise is measured in full size, in the middle of the picture."""

_CROP = 512  # side, in pixels, of the square in the middle whose noise is measured
_MIN_SIDE = 16  # minimum side of a measured picture, in pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Technical:
    """Technical measures of a picture and the kind of its content.

    Each measure is from 0 (bad) to 1 (good).
    """

    sharpness: float
    focus: float
    """Sharpness of the sharpest part. It does not count in the quality."""
    exposure: float
    steadiness: float
    cleanness: float
    shows: Shows
    """Kind of the picture's content."""

    @property
    def quality(self) -> float:
        """Overall quality from 0 to 1.

        The weighted mean of the measures, times the factor of the content.
        """
        return float(SHOWS_FACTOR[self.shows] * sum(weight * getattr(self, name) for name, weight in WEIGHTS.items()))

    @property
    def score(self) -> float:
        """Overall quality on NIMA's scale from 1 to 10."""
        return 1 + 9 * self.quality


def technical(luma: NDArray[np.uint8], *, full_range: bool) -> Technical:
    """Measure the technical quality of a picture.

    `luma`: (height, width) uint8. `full_range`: whether black is 0 and white 255; otherwise they are 16 and 235, as in most video.
    """
    height, width = luma.shape
    scale = min(LONG_SIDE / max(height, width), 1.0)
    size = (max(round(width * scale), _MIN_SIDE), max(round(height * scale), _MIN_SIDE))
    scaled = luma if size == (width, height) else cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    small = _full_range(scaled, full_range)
    top, left = max((height - _CROP) // 2, 0), max((width - _CROP) // 2, 0)
    middle = luma[top : top + _CROP, left : left + _CROP]
    if min(middle.shape) < _MIN_SIDE:
        middle = small
    # `sharpness` mistakes noise for fine detail.
    sharp, clean = sharpness(without_noise(small)), cleanness(middle)
    return Technical(
        # Detail that noise hides is not sharp, hence the factor `clean`.
        sharpness=clean * sum(sharp.directions) / len(sharp.directions),
        focus=clean * sharp.focus,
        exposure=exposure(small),
        steadiness=steadiness(sharp.directions),
        cleanness=clean,
        shows=shows(small),
    )


def _full_range(luma: NDArray[np.uint8], full_range: bool) -> NDArray[np.uint8]:
    """Convert luma to full range, 0 to 255, unless `full_range` is True.

    Limited range, 16 to 235, is stretched.
    """
    if full_range:
        return luma
    table = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
    return cv2.LUT(luma, table).astype(np.uint8, copy=False)
