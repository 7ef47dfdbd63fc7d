"""Matching of the subject's brightness and colours to the background."""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]

_SMALL = 96
"""Side in pixels of the small squares to which compared pictures are scaled."""
_MAX_GAIN = 1.35
_SHIFT = 0.35
"""Share of the difference in means, 0 to 1, that the offset corrects."""
_MAX_SHIFT = (12.0, 8.0, 8.0)
"""Largest offset of luma, U and V, in levels."""
_MIN_COVERED = 0.002
"""Mean alpha of a frame, 0 to 1, below which no subject is visible."""
_CUT = 24.0
"""Change of the subject's mean between frames that counts as a cut. It is in levels and holds for every plane."""


@dataclass(frozen=True, slots=True)
class Change:
    """Gain and offset applied to one plane.

    The gain does not change the level `middle`.
    """

    gain: float = 1.0
    middle: float = 0.0
    offset: float = 0.0


Match = tuple[Change, Change, Change]
SAME: Match = (Change(), Change(), Change())


def match_of(foreground: Planes, background: Planes, alpha: Plane, amount: float) -> Match | None:
    """Measure the change that matches the subject to the background.

    Returns None without a subject. `amount`: 0 (no change) to 1. Mean and spread of each plane are compared at reduced size (Reinhard et
    al., Color Transfer between Images, 2001). The change is limited: the contrast of luma by about a sixth, its mean by 12 levels, the mean
    of chroma by 8 levels. The spread of chroma stays.
    """
    changes = []
    weight = _small(alpha).astype(np.float32) / 255
    covered = float(weight.mean())
    if covered < _MIN_COVERED:
        return None
    for number, (front, back) in enumerate(zip(foreground, background, strict=True)):
        values, goals = _small(front).astype(np.float32), _small(back).astype(np.float32)
        total = float(weight.sum())
        mean = float((values * weight).sum()) / total
        spread = float(np.sqrt((((values - mean) ** 2) * weight).sum() / total))
        target, target_spread = float(goals.mean()), float(goals.std())
        gain = 1.0
        if number == 0:
            full_gain = float(np.clip(target_spread / max(spread, 1.0), 1 / _MAX_GAIN, _MAX_GAIN))
            gain = 1 + (full_gain - 1) * amount * 0.5
        offset = float(np.clip((target - mean) * _SHIFT, -_MAX_SHIFT[number], _MAX_SHIFT[number])) * amount
        changes.append(Change(gain, mean, offset))
    return changes[0], changes[1], changes[2]


def applied(planes: Planes, match: Match) -> Planes:
    """Apply a colour match to planes."""
    luma, u, v = (cv2.LUT(plane, _curve(change)) for plane, change in zip(planes, match, strict=True))
    return np.asarray(luma, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8)


class MatchSmoother:
    """Moving average of colour matches, which keeps the subject from flickering.

    A frame without a subject (None) repeats the last average. Where the subject's colours jump, as at a cut, the average begins anew.
    """

    def __init__(self, window: int) -> None:
        self._matches: deque[Match] = deque(maxlen=window)

    def __call__(self, match: Match | None) -> Match:
        if match is not None:
            if self._matches and any(abs(new.middle - old.middle) > _CUT for new, old in zip(match, self._matches[-1], strict=True)):
                self._matches.clear()
            self._matches.append(match)
        if not self._matches:
            return SAME
        luma, u, v = (_mean([earlier[number] for earlier in self._matches]) for number in range(3))
        return luma, u, v


def _mean(changes: list[Change]) -> Change:
    count = len(changes)
    return Change(
        sum(change.gain for change in changes) / count,
        sum(change.middle for change in changes) / count,
        sum(change.offset for change in changes) / count,
    )


def _small(plane: Plane) -> NDArray[np.uint8]:
    # A coarse grid of pixels is enough for means and costs almost nothing.
    step = max(plane.shape[0] // (2 * _SMALL), plane.shape[1] // (2 * _SMALL), 1)
    return np.asarray(cv2.resize(plane[::step, ::step], (_SMALL, _SMALL), interpolation=cv2.INTER_AREA), np.uint8)


def _curve(change: Change) -> Plane:
    values = (np.arange(256, dtype=np.float32) - change.middle) * change.gain + change.middle + change.offset
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
