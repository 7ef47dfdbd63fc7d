"""Technical quality of a picture: all measures combined into one score."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.aesthetics.measures.blank_frames import Shows, shows
from services.aesthetics.measures.exposure import exposure
from services.aesthetics.measures.motion_blur import steadiness
from services.aesthetics.measures.noise import cleanness
from services.aesthetics.measures.sharpness import directional_sharpness

WEIGHTS = {"sharpness": 0.40, "exposure": 0.25, "steadiness": 0.20, "cleanness": 0.15}
"""Weight of each measure in the quality; they add up to 1."""

SHOWS_FACTOR = {"picture": 1.0, "title": 0.3, "plain": 0.05, "black": 0.0}
"""Factor of the quality by what the frame shows."""

LONG_SIDE = 960
"""Longer side, in pixels, that a picture is scaled down to. Only noise is measured in full size, in the picture's middle."""

_CROP = 512
_LEAST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Technical:
    """The measures of a picture, each from 0 (bad) to 1 (good), and what it shows."""

    sharpness: float
    exposure: float
    steadiness: float
    cleanness: float
    shows: Shows

    @property
    def quality(self) -> float:
        """Total quality from 0 to 1: the weighted mean times the factor of what the frame shows."""
        return float(SHOWS_FACTOR[self.shows] * sum(weight * getattr(self, name) for name, weight in WEIGHTS.items()))

    @property
    def score(self) -> float:
        """The quality on the scale of the aesthetic score, from 1 to 10."""
        return 1 + 9 * self.quality


def technical(luma: NDArray[np.uint8], *, full_range: bool) -> Technical:
    """Measure a picture.

    `luma`: (height, width) uint8. `full_range`: black is 0 and white 255; otherwise 16 and 235, as in most video.
    """
    height, width = luma.shape
    scale = min(LONG_SIDE / max(height, width), 1.0)
    size = (max(round(width * scale), _LEAST), max(round(height * scale), _LEAST))
    scaled = luma if size == (width, height) else cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    small = _full_range(scaled, full_range)
    top, left = max((height - _CROP) // 2, 0), max((width - _CROP) // 2, 0)
    middle = luma[top : top + _CROP, left : left + _CROP]
    if min(middle.shape) < _LEAST:
        middle = small
    sharp, clean = directional_sharpness(small), cleanness(middle)
    return Technical(
        # Noise looks like fine detail to the measure of sharpness, hence the factor.
        sharpness=clean * sum(sharp) / len(sharp),
        exposure=exposure(small),
        steadiness=steadiness(sharp),
        cleanness=clean,
        shows=shows(small),
    )


def _full_range(luma: NDArray[np.uint8], full_range: bool) -> NDArray[np.uint8]:
    """Stretch luma of 16 to 235 to 0 to 255, unless it is `full_range`."""
    if full_range:
        return luma
    table = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
    return cv2.LUT(luma, table).astype(np.uint8, copy=False)
