"""User masks that force parts of mattes to 0 or 1."""

import numpy as np
from numpy.typing import NDArray

from shared.video.frames.scaling import scaled

Mask = NDArray[np.uint8]
Alpha = NDArray[np.float32]


class Limits:
    """Masks that force parts of every frame's alpha to 0 or 1.

    `garbage`, `core`: (h, w) uint8, white where the matte becomes 0 or 1; None for no such part. Several threads may use it.
    """

    def __init__(self, garbage: Mask | None, core: Mask | None) -> None:
        self._garbage, self._core = garbage, core
        self._scaled: dict[tuple[int, ...], tuple[Alpha | None, Alpha | None]] = {}

    def applied(self, alpha: Alpha) -> Alpha:
        """Limit a matte (H, W) by both masks."""
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
    """Scale a mask to a matte's size and to values from 0 to 1."""
    if mask is None:
        return None
    return np.asarray(scaled(mask, alpha.shape[1::-1]) / np.float32(255), np.float32)
