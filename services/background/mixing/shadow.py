"""Shadows of the subject on a new background."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_HEIGHT = 180
_DARKEST = 0.35
_BLACK = 16
_NOISE = 0.04
"""Largest darkening, as a share, that counts as noise."""
_CONTACT = 0.45
_FEET = 0.2
"""Share of the subject's height, from its lower end, that counts as feet."""


def kept_shadow(luma: Plane, plate: Plane, alpha: Plane) -> Plane:
    """Measure the subject's shadow on the real background.

    `luma`, `plate`, `alpha`: uint8 (height, width), aligned. Returns the remaining light, uint8 (height, width): 255 without shadow, less
    where the frame is darker than the clean plate. Under the subject itself the light is interpolated from around it.
    """
    size = _small(luma.shape)
    front, back, cover = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32) for plane in (luma, plate, alpha))
    light = np.clip((front - _BLACK + 4) / (back - _BLACK + 4), _DARKEST, 1)
    outside = (255 - cover) / 255
    spread = max(size[1] / 90, 1.0)
    smooth = cv2.GaussianBlur(light * outside, (0, 0), spread) / np.maximum(cv2.GaussianBlur(outside, (0, 0), spread), 0.02)
    smooth = np.where(smooth > 1 - _NOISE, 1, smooth)
    return _enlarged(np.clip(smooth, _DARKEST, 1), luma.shape)


def contact_shadow(alpha: Plane) -> Plane:
    """Draw a soft shadow at the subject's feet.

    `alpha`: uint8 (height, width). Returns the remaining light, uint8 (height, width), 255 outside of the shadow. The shadow is the lowest
    fifth of the subject, flattened to the ground and blurred. A subject that the lower edge of the picture cuts off gets no shadow,
    because its feet are not visible.
    """
    size = _small(alpha.shape)
    cover = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    rows = np.flatnonzero((cover > 0.5).any(axis=1))
    if not len(rows) or rows[-1] >= size[1] - 2:
        return np.full(alpha.shape, 255, np.uint8)
    top, bottom = int(rows[0]), int(rows[-1])
    first = bottom - max(round((bottom - top) * _FEET), 1)
    feet = cover[first : bottom + 1].max(axis=0)
    thick = max((bottom - top) // 24, 2)
    ground = np.zeros_like(cover)
    ground[max(bottom - thick, 0) : min(bottom + thick, size[1])] = feet
    spread = max((bottom - top) / 18, 1.5)
    soft = cv2.GaussianBlur(ground, (0, 0), spread * 1.6, sigmaY=spread * 0.7)
    return _enlarged(np.clip(1 - _CONTACT * soft / max(float(soft.max()), 1e-6), 0, 1), alpha.shape)


def shaded(luma: Plane, light: Plane) -> Plane:
    """Darken a luma plane by a shadow.

    `luma`: limited range; `light`: remaining light, 255 where nothing changes. Both uint8 (height, width).
    """
    if int(light.min()) == 255:
        return luma
    black = np.full(luma.shape, _BLACK, np.uint8)
    darker = cv2.multiply(cv2.subtract(luma, black), light, scale=1 / 255)
    return np.asarray(cv2.add(darker, black), np.uint8)


def _small(shape: tuple[int, ...]) -> tuple[int, int]:
    factor = min(_HEIGHT / shape[0], 1.0)
    return max(round(shape[1] * factor), 2), max(round(shape[0] * factor), 2)


def _enlarged(light: NDArray[np.float32], shape: tuple[int, ...]) -> Plane:
    levels = np.rint(light * 255).astype(np.uint8)
    return np.asarray(cv2.resize(levels, shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
