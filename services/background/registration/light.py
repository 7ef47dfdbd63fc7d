"""Exposure and white-balance changes between aligned frames."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]

_BLACK, _MIDDLE = 16, 128
_DARK, _BRIGHT = 40, 225
"""Range of luma in which gains are measured. Darker pixels are noisy, brighter ones clipped."""
_MIN_PIXELS = 200
_MAX_GAIN = 2.0
_STEP = 8


@dataclass(frozen=True, slots=True)
class Light:
    """Exposure and white-balance change between two frames.

    For limited-range planes: luma above black and chroma around its middle are multiplied by `gain`, then chroma is shifted by `u` and `v`
    levels.
    """

    gain: float = 1.0
    u: float = 0.0
    v: float = 0.0

    def then(self, second: "Light") -> "Light":
        """Combine this change with the change `second`, which follows it."""
        return Light(self.gain * second.gain, self.u * second.gain + second.u, self.v * second.gain + second.v)

    @property
    def none(self) -> bool:
        """Whether the change is too small to be visible."""
        return abs(self.gain - 1) < 0.001 and abs(self.u) < 0.25 and abs(self.v) < 0.25

    def applied(self, planes: Planes) -> Planes:
        """Apply the change to Y, U and V planes."""
        if self.none:
            return planes
        luma = cv2.LUT(planes[0], _curve(self.gain, _BLACK, 0.0))
        chroma = [cv2.LUT(planes[1 + part], _curve(self.gain, _MIDDLE, shift)) for part, shift in enumerate((self.u, self.v))]
        return np.asarray(luma, np.uint8), np.asarray(chroma[0], np.uint8), np.asarray(chroma[1], np.uint8)


def light_between(planes: Planes, target: Planes, common: Plane) -> Light:
    """Measure the light change from `planes` to `target`, in pixels marked in `common`.

    `planes`, `target`: Y, U, V 4:2:0 of two aligned frames, uint8. `common`: uint8 in luma size, 255 where both show the background. The
    gain is the median ratio of luma above black, the colour shift the median difference of chroma; medians ignore objects that changed.
    With fewer than 200 usable pixels the result is no change.
    """
    front, back = (planes[0][::_STEP, ::_STEP].astype(np.float32), target[0][::_STEP, ::_STEP].astype(np.float32))
    valid = (common[::_STEP, ::_STEP] == 255) & (front > _DARK) & (back > _DARK) & (front < _BRIGHT) & (back < _BRIGHT)
    if valid.sum() < _MIN_PIXELS:
        return Light()
    gain = float(np.median((back[valid] - _BLACK) / (front[valid] - _BLACK)))
    gain = min(max(gain, 1 / _MAX_GAIN), _MAX_GAIN)
    half = common[:: 2 * (_STEP // 2), :: 2 * (_STEP // 2)] == 255
    shifts = []
    for number in (1, 2):
        a, b = planes[number][:: _STEP // 2, :: _STEP // 2], target[number][:: _STEP // 2, :: _STEP // 2]
        rows, columns = min(a.shape[0], half.shape[0]), min(a.shape[1], half.shape[1])
        where = half[:rows, :columns]
        moved = (b[:rows, :columns].astype(np.float32) - _MIDDLE) - (a[:rows, :columns].astype(np.float32) - _MIDDLE) * gain
        shifts.append(float(np.median(moved[where])) if where.any() else 0.0)
    return Light(gain, *(float(np.clip(shift, -12, 12)) for shift in shifts))


def _curve(gain: float, around: int, shift: float) -> Plane:
    values = (np.arange(256, dtype=np.float32) - around) * gain + around + shift
    return np.asarray(np.clip(np.rint(values), 0, 254), np.uint8)
