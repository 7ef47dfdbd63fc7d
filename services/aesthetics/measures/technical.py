"""The technical quality of a picture, without any weights to download."""

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
"""What each measure counts for; they add up to 1."""

SHOWS_FACTOR = {"picture": 1.0, "title": 0.3, "plain": 0.05, "black": 0.0}
"""What the quality of a frame that shows nothing is multiplied by."""

LONG_SIDE = 960
"""Pixels along the longer side of the picture that is measured; only noise is measured in full size, in the middle of it."""

_CROP = 512
_LEAST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Technical:
    """What was measured, each from 0 (bad) to 1 (good)."""

    sharpness: float
    exposure: float
    steadiness: float
    cleanness: float
    shows: Shows

    @property
    def quality(self) -> float:
        """All of it in one figure from 0 to 1: the weighted mean, times the factor of what the frame shows."""
        return SHOWS_FACTOR[self.shows] * sum(weight * getattr(self, name) for name, weight in WEIGHTS.items())

    @property
    def score(self) -> float:
        """The quality on the scale of the aesthetic score, from 1 to 10."""
        return 1 + 9 * self.quality


def technical(luma: NDArray[np.uint8], *, full_range: bool) -> Technical:
    """Measure a picture.

    `luma`: (height, width) uint8. `full_range`: black is 0 and white 255, otherwise 16 and 235 as in most video.
    """
    height, width = luma.shape
    scale = min(LONG_SIDE / max(height, width), 1.0)
    size = (max(round(width * scale), _LEAST), max(round(height * scale), _LEAST))
    small = _full(luma if size == (width, height) else cv2.resize(luma, size, interpolation=cv2.INTER_AREA), full_range)
    top, left = max((height - _CROP) // 2, 0), max((width - _CROP) // 2, 0)
    middle = luma[top : top + _CROP, left : left + _CROP]
    if min(middle.shape) < _LEAST:
        middle = small
    sharp, clean = directional_sharpness(small), cleanness(middle)
    return Technical(
        # Noise differs from pixel to pixel as fine detail does: what is sharp counts as far as it is clean.
        sharpness=clean * sum(sharp) / len(sharp),
        exposure=exposure(small),
        steadiness=steadiness(sharp),
        cleanness=clean,
        shows=shows(small),
    )


def _full(luma: NDArray[np.uint8], full_range: bool) -> NDArray[np.uint8]:
    if full_range:
        return luma
    table = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
    return cv2.LUT(luma, table).astype(np.uint8, copy=False)
