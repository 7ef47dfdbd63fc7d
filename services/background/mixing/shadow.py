"""Shadows of the subject on a new background."""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_HEIGHT = 180  # maximum height, in rows, of the pictures on which shadows are computed
_DARKEST = 0.35  # minimum share of the light that remains in a kept shadow
_BLACK = 16  # level of black in limited range
_NOISE = 0.04
"""Largest loss of light that counts as noise, as a share of the light."""
_CONTACT = 0.45  # share of the light that is missing in the darkest place of a contact shadow
_FEET = 0.2
"""Share of the subject's height, from its lower end, that counts as feet."""
_FADE = 0.06
"""Distance of the feet from the lower border at which the shadow is full. It is a share of the picture's height. Nearer to the border, the
shadow fades out."""
_STEADY_FRAMES, _CUT = 5, 0.1  # frames that are averaged; change of the subject's bottom, as a share of the height, that counts as a cut


def kept_shadow(luma: Plane, plate: Plane, alpha: Plane) -> Plane:
    """Measure the light that remains in the subject's shadow on the real background.

    `luma`, `plate`, `alpha`: uint8 (height, width), aligned. Returns uint8 (height, width): 255 without shadow, less where the frame is
    darker than the clean plate. Behind the subject, the light is interpolated from its surroundings.
    """
    size = _small(luma.shape)
    front, back, cover = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32) for plane in (luma, plate, alpha))
    light = np.clip((front - _BLACK + 4) / (back - _BLACK + 4), _DARKEST, 1)
    outside = (255 - cover) / 255
    spread = max(size[1] / 90, 1.0)
    smooth = cv2.GaussianBlur(light * outside, (0, 0), spread) / np.maximum(cv2.GaussianBlur(outside, (0, 0), spread), 0.02)
    smooth = np.where(smooth > 1 - _NOISE, 1, smooth)
    return _enlarged(np.clip(smooth, _DARKEST, 1), luma.shape)


@dataclass(frozen=True, slots=True)
class Ground:
    """Position of the subject in the frame: its top and bottom.

    `top` and `bottom` of the subject are shares of the picture's height, from 0 to 1.
    """

    top: float
    bottom: float


def ground_of(alpha: Plane) -> Ground | None:
    """Measure the subject's top and bottom with subpixel accuracy.

    Returns None without a subject. `alpha`: uint8 (height, width).
    """
    size = _small(alpha.shape)
    profile = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).max(axis=1).astype(np.float64) / 255
    rows = np.flatnonzero(profile > 0.5)
    if not len(rows):
        return None
    padded = np.concatenate([[0.0], profile, [0.0]])
    top, bottom = int(rows[0]) + 1, int(rows[-1]) + 1
    above, below = (_crossing(float(padded[inside]), float(padded[outside])) for inside, outside in ((top, top - 1), (bottom, bottom + 1)))
    return Ground((top - 0.5 - above) / size[1], (bottom - 0.5 + below) / size[1])


class GroundSmoother:
    """Moving average of the subject's top and bottom.

    Averaging keeps the shadow from jumping. After a step of more than a tenth of the height, as at a cut, a new average begins. For a frame
    without a subject (None), the result is None.
    """

    def __init__(self) -> None:
        self._latest: deque[Ground] = deque(maxlen=_STEADY_FRAMES)

    def __call__(self, ground: Ground | None) -> Ground | None:
        if ground is None:
            self._latest.clear()
            return None
        if self._latest and abs(self._latest[-1].bottom - ground.bottom) > _CUT:
            self._latest.clear()
        self._latest.append(ground)
        count = len(self._latest)
        return Ground(sum(past.top for past in self._latest) / count, sum(past.bottom for past in self._latest) / count)


def contact_shadow(alpha: Plane, ground: Ground | None) -> Plane:
    """Compute the light that remains in a soft shadow at the subject's feet.

    `alpha`: uint8 (height, width); `ground`: where the subject stands. Returns uint8 (height, width), 255 outside of
    the shadow. The shadow is the lowest fifth of the subject, flattened to the ground and blurred. Towards the lower border of the picture
    it fades out: a subject that the border cuts off has none, because its feet are not visible.
    """
    size = _small(alpha.shape)
    # Within one row of the reduced picture from the border, the shadow is invisible.
    strength = 0.0 if ground is None else _eased((1 - ground.bottom - 1 / size[1]) / _FADE)
    if ground is None or not strength:
        return np.full(alpha.shape, 255, np.uint8)
    cover = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    top, bottom = ground.top * size[1], ground.bottom * size[1]
    high = max(bottom - top, 1.0)
    feet = (cover * _rows(bottom - max(high * _FEET, 1), bottom + 1, size[1])[:, None]).max(axis=0)
    thick = max(high / 24, 2)
    ground_plane = _rows(bottom - thick, bottom + thick, size[1])[:, None] * feet
    spread = max(high / 18, 1.5)
    soft = cv2.GaussianBlur(ground_plane, (0, 0), spread * 1.6, sigmaY=spread * 0.7)
    return _enlarged(np.clip(1 - strength * _CONTACT * soft / max(float(soft.max()), 1e-6), 0, 1), alpha.shape)


def shaded(luma: Plane, light: Plane) -> Plane:
    """Darken `luma` by a shadow, given as the remaining `light`.

    `luma`: limited range; `light`: 255 where nothing changes. Both uint8 (height, width).
    """
    if int(light.min()) == 255:
        return luma
    black = np.full(luma.shape, _BLACK, np.uint8)
    darker = cv2.multiply(cv2.subtract(luma, black), light, scale=1 / 255)
    return np.asarray(cv2.add(darker, black), np.uint8)


def _crossing(inside: float, outside: float) -> float:
    """Return the distance, in rows, from a row's middle to where coverage is half.

    `inside`, `outside`: coverage at the middle of the row, and of the next row outwards.
    """
    return (inside - 0.5) / (inside - outside)


def _rows(first: float, end: float, count: int) -> NDArray[np.float32]:
    """Return the share of each row that lies between `first` and `end`.

    `count`: number of rows.
    """
    places = np.arange(count, dtype=np.float32)
    return np.asarray(np.clip(np.minimum(places + 1, end) - np.maximum(places, first), 0, 1), np.float32)


def _eased(value: float) -> float:
    """Map a value, limited to 0 to 1, by the smoothstep function."""
    share = min(max(value, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _small(shape: tuple[int, ...]) -> tuple[int, int]:
    factor = min(_HEIGHT / shape[0], 1.0)
    return max(round(shape[1] * factor), 2), max(round(shape[0] * factor), 2)


def _enlarged(light: NDArray[np.float32], shape: tuple[int, ...]) -> Plane:
    levels = np.rint(light * 255).astype(np.uint8)
    return np.asarray(cv2.resize(levels, shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
