"""Spill the background's light over the edge of the subject."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.mixing.over import over

Plane = NDArray[np.uint8]

_HEIGHT = 135


def wrapped(planes: Sequence[Plane], backgrounds: Sequence[Plane], alphas: Sequence[Plane], strength: float) -> list[Plane]:
    """Mix the blurred background into the composite just inside the subject's edge.

    `planes`: the composite; `backgrounds` and `alphas` in the same sizes; `strength`: 0 to 1. How much light arrives is how much
    background lies near: one minus alpha, blurred. Both are made at 135 lines; only pixels that the light reaches are touched.
    """
    luma_alpha = alphas[0]
    height, width = luma_alpha.shape
    factor = min(_HEIGHT / height, 1.0)
    size = max(round(width * factor), 2), max(round(height * factor), 2)
    small = cv2.resize(luma_alpha, size, interpolation=cv2.INTER_AREA)
    spread = max(size[1] / 60, 1.0)
    outside = cv2.GaussianBlur(255 - small, (0, 0), spread)
    weight = np.asarray(cv2.multiply(outside, small, scale=strength / 255), np.uint8)
    # Deep inside nothing arrives; a level of it would be noise.
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
