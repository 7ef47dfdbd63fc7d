"""Changes of the subject's exposure over a clip."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_INSIDE = 200
_LEAST_PIXELS = 20
_BLACK = 16
_FEWEST, _MOST = 0.6, 1.6
"""Bounds of a ratio: beyond them the subject itself has changed."""


def subject_brightness(luma: Plane, matte: Plane) -> float:
    """Return the subject's median luma above black, in levels.

    Returns nan if fewer than 20 pixels of the subject are visible. `luma`: uint8 (h, w), limited range; `matte`: uint8 of the same size.
    The median ignores highlights, and the matte is eroded to leave the soft edge out.
    """
    inside = cv2.erode(matte, np.ones((3, 3), np.uint8)) > _INSIDE
    if inside.sum() < _LEAST_PIXELS:
        return float("nan")
    return max(float(np.median(luma[inside])) - _BLACK, 1.0)


def exposure_ratios(brightness: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return each frame's exposure relative to the clip's median.

    `brightness`: (n,), from `subject_brightness`; frames without a subject are interpolated from their neighbours. The result, (n,), is
    smoothed over `window` frames.
    """
    known = np.flatnonzero(np.isfinite(brightness))
    if not len(known):
        return np.ones(len(brightness))
    values = np.interp(np.arange(len(brightness)), known, brightness[known])
    ratios = np.clip(values / np.median(brightness[known]), _FEWEST, _MOST)
    if window <= 1:
        return np.asarray(ratios, np.float64)
    before = window // 2
    padded = np.pad(ratios, (before, window - 1 - before), mode="edge")
    return np.asarray(np.convolve(padded, np.full(window, 1 / window), mode="valid"), np.float64)


def exposed(planes: tuple[Plane, Plane, Plane], ratio: float) -> tuple[Plane, Plane, Plane]:
    """Apply an exposure `ratio` to planes in limited range."""
    if abs(ratio - 1) < 1 / 512:
        return planes
    levels = np.arange(256, dtype=np.float32)
    luma, chroma = (np.clip(np.rint((levels - zero) * ratio + zero), 0, 255).astype(np.uint8) for zero in (_BLACK, 128))
    y, u, v = (cv2.LUT(plane, curve) for plane, curve in zip(planes, (luma, chroma, chroma), strict=True))
    return np.asarray(y, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8)
