"""Light of the background that spills over the edge of the subject."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.mixing.over import over

Plane = NDArray[np.uint8]

_HEIGHT = 135


def wrapped(planes: Sequence[Plane], backgrounds: Sequence[Plane], alphas: Sequence[Plane], strength: float) -> list[Plane]:
    """Mix the blurred background into the composite at the subject's edge.

    `planes`: the composite; `backgrounds` and `alphas` in the same sizes; `strength`: 0 to 1. The amount of light at a pixel is the amount
    of background near it: 1 - alpha, blurred. Background and amount are blurred at a height of 135 pixels. Only pixels that the light
    reaches change.
    """
    luma_alpha = alphas[0]
    height, width = luma_alpha.shape
    factor = min(_HEIGHT / height, 1.0)
    size = max(round(width * factor), 2), max(round(height * factor), 2)
    small = cv2.resize(luma_alpha, size, interpolation=cv2.INTER_AREA)
    spread = max(size[1] / 60, 1.0)
    outside = cv2.GaussianBlur(255 - small, (0, 0), spread)
    weight = np.asarray(cv2.multiply(outside, small, scale=strength / 255), np.uint8)
    # No light reaches the inside of the subject; a weight of one or two levels is noise.
    weight[weight < 3] = 0
    mixed = []
    for plane, background in zip(planes, backgrounds, strict=True):
        glow = cv2.GaussianBlur(cv2.resize(background, size, interpolation=cv2.INTER_AREA), (0, 0), spread * 1.5)
        large = plane.shape[::-1]
        mixed.append(
            over(
                np.asarray(cv2.resize(glow, large, interpolation=cv2.INTER_LINEAR), np.uint8),
                plane,
                np.asarray(cv2.resize(weight, large, interpolation=cv2.INTER_LINEAR), np.uint8),
            )
        )
    return mixed
