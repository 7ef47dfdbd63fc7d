"""Estimated picture of the empty screen, from the parts that frames show."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.chroma.colours import Rgb, excess
from services.matting.chroma.screen import Screen
from shared.video.frames.push_pull import push_pull

SCALE = 8
"""Factor by which the plate is smaller than the picture, in width and height. A small plate is enough, because screens are smooth."""

_PURITY = 0.94
"""Minimum saturation of screen pixels, as a share of the screen's usual saturation."""
_MIN_EXCESS = 0.3  # minimum excess of screen pixels, as a share of the excess of the screen's colour
_FORGETTING = 0.999  # factor by which the weight of a remembered part falls with each frame that does not show it


class PlateMemory:
    """Picture of an unmoving screen, collected from the parts that frames show.

    Parts of the screen that a frame hides are remembered from earlier frames. Light and shade do not change the screen's saturation, but
    anything in front of the screen lowers it. So saturation separates the pure screen from veils and blurred edges.
    """

    def __init__(self, screen: Screen, memory: float = 0.85) -> None:
        """Start an estimate of the plate, with no frame added yet.

        `memory`: share of the remembered colour that stays where a frame shows the screen again, 0 to 1.
        """
        self.screen, self.memory = screen, memory
        self._plate: NDArray[np.float32] | None = None
        self._weight: NDArray[np.float32] | None = None

    def reset(self) -> None:
        """Forget the plate after a cut."""
        self._plate = self._weight = None

    def update(self, rgb: Rgb) -> NDArray[np.float32]:
        """Add a frame and return the estimated plate.

        `rgb`: (H, W, 3). The plate is (H/8, W/8, 3) float32 0..255. Parts that no frame has shown are filled from their surroundings.
        """
        size = max(rgb.shape[1] // SCALE, 2), max(rgb.shape[0] // SCALE, 2)
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        pure = self._pure(small)
        if self._plate is None or self._weight is None or self._plate.shape != small.shape:
            self._plate, self._weight = small * pure[..., None], pure
        else:
            share = (pure * np.where(self._weight > 0, 1 - self.memory, 1))[..., None]
            self._plate = self._plate + share * (small - self._plate)
            self._weight = np.maximum(self._weight * _FORGETTING, pure)
        return push_pull(self._plate, self._weight)

    def _pure(self, small: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a mask of the pixels that show only the screen, 1 or 0."""
        above = excess(small, self.screen.channel)
        saturation = above / np.maximum(small[..., self.screen.channel], 1)
        expected = excess(np.array(self.screen.colour, np.float32), self.screen.channel)
        candidates = above > _MIN_EXCESS * expected
        if not candidates.any():
            return np.zeros(above.shape, np.float32)
        pure = candidates & (saturation > _PURITY * np.percentile(saturation[candidates], 80))
        return np.asarray(cv2.erode(pure.astype(np.uint8), np.ones((3, 3), np.uint8)), np.float32)
