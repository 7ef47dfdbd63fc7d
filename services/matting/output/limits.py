"""Limits of mattes: parts that never, and parts that always belong to the subject."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Alpha = NDArray[np.float32]


class Limits:
    """Two masks that hold for every frame.

    `garbage`, `core`: (h, w) uint8, white where the matte is 0, and 1; None for no such part. Several threads may use it.
    """

    def __init__(self, garbage: Mask | None, core: Mask | None) -> None:
        self._garbage, self._core = garbage, core
        self._scaled: dict[tuple[int, ...], tuple[Alpha | None, Alpha | None]] = {}

    def applied(self, alpha: Alpha) -> Alpha:
        """Return a matte (H, W) of any size, limited to the range from `core` to 1 - `garbage`."""
        if self._garbage is None and self._core is None:
            return alpha
        if alpha.shape not in self._scaled:
            self._scaled[alpha.shape] = _scaled(self._garbage, alpha), _scaled(self._core, alpha)
        garbage, core = self._scaled[alpha.shape]
        if garbage is not None:
            alpha = np.minimum(alpha, 1 - garbage)
        if core is not None:
            alpha = np.maximum(alpha, core)
        return alpha


def _scaled(mask: Mask | None, alpha: Alpha) -> Alpha | None:
    """Return a mask in the size of a matte, 0 to 1."""
    if mask is None:
        return None
    larger = alpha.shape[0] > mask.shape[0]
    resized = cv2.resize(mask, alpha.shape[1::-1], interpolation=cv2.INTER_LINEAR if larger else cv2.INTER_AREA)
    return np.asarray(resized / np.float32(255), np.float32)
