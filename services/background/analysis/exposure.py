"""Exposure changes over a clip, measured on the subject."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Tones = NDArray[np.float32]

_INSIDE = 200
"""Level of the matte (of 255) above which a pixel is inside the subject."""
_MIN_PIXELS = 20  # minimum number of visible subject pixels in a measured frame
_BLACK = 16  # level of black in limited range
_PER_E, _BINS, _BLUR, _REACH = 32, 177, 2.0, 18
"""Logarithmic histogram: bins per factor e, bins in all, blur, largest shift. The bins reach level 239. Blur (standard deviation) and shift
are in bins; a shift of 18 bins is a factor of 1.75."""
_NOISE_LEVELS, _NOISE_SHARE = 2.0, 0.01
"""Largest change of brightness that counts as noise. It is the larger of _NOISE_LEVELS levels and the share _NOISE_SHARE."""
_MIN_RATIO, _MAX_RATIO = 0.6, 1.6
"""Smallest and largest ratio of brightness that counts as a change of exposure. A larger change is the subject's own, and is clipped."""


def subject_tones(luma: Plane, matte: Plane) -> Tones | None:
    """Return a histogram of the subject's luma with logarithmic bins.

    `luma`: uint8 (h, w), limited range; `matte`: uint8 of the same size. Pixels of the soft edge are left out. Returns float32 (177,), of
    sum 1, or None if fewer than 20 pixels of the subject are visible.
    """
    inside = cv2.erode(matte, np.ones((3, 3), np.uint8)) > _INSIDE
    if inside.sum() < _MIN_PIXELS:
        return None
    levels = np.maximum(luma[inside].astype(np.float32) - _BLACK, 1)
    places = np.rint(_PER_E * np.log(levels)).astype(np.intp)
    counts = np.bincount(places, minlength=_BINS).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(counts[None], (0, 0), _BLUR, borderType=cv2.BORDER_CONSTANT)[0], np.float32)
    return np.asarray(blurred / blurred.sum(), np.float32)


def brightness_of(tones: Sequence[Tones | None]) -> NDArray[np.float64]:
    """Return the subject's brightness in each frame, in luma levels.

    A change of light shifts the whole distribution. If the subject turns or moves an arm, only the amounts of its tones change. So each
    frame's distribution is shifted to where it agrees best (Bhattacharyya, 1943) with that of the frame of median brightness. The
    result is nan for frames with None.
    """
    brightness = np.full(len(tones), np.nan)
    places = [number for number, distribution in enumerate(tones) if distribution is not None]
    if not places:
        return brightness
    roots = np.sqrt(np.array([tones[number] for number in places], np.float64))
    means = (roots**2) @ np.arange(_BINS)
    middle = int(np.argsort(means)[len(means) // 2])
    shifts = np.array([_shift(roots[middle], root) for root in roots])
    brightness[places] = np.exp((means[middle] + shifts) / _PER_E)
    return brightness


def _shift(reference: NDArray[np.float64], root: NDArray[np.float64]) -> float:
    """Measure how far histogram `root` is shifted against `reference`, in bins.

    The result is accurate to a fraction of a bin.
    """
    agreement = np.correlate(np.pad(root, _REACH), reference, mode="valid")
    best = int(np.argmax(agreement))
    if not 0 < best < len(agreement) - 1:
        return float(best - _REACH)
    before, peak, after = agreement[best - 1 : best + 2]
    bend = before - 2 * peak + after
    return best - _REACH + (0.5 * float((before - after) / bend) if bend < 0 else 0.0)


def shot_exposures(tones: Sequence[Tones | None], starts: Sequence[int], window: int) -> NDArray[np.float64]:
    """Return each frame's exposure relative to its shot's median, smoothed over `window` frames.

    `tones`: result of `subject_tones` for each frame; `starts`: number of each shot's first frame, beginning with 0. Returns (n,).
    """
    ends = [*starts, len(tones)][1:]
    parts = [exposure_ratios(brightness_of(tones[start:end]), window) for start, end in zip(starts, ends, strict=True)]
    return np.concatenate(parts) if parts else np.ones(0)


def exposure_ratios(brightness: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return each frame's brightness relative to the median, smoothed over `window` frames.

    `brightness`: (n,), from `brightness_of`; frames without a subject are interpolated from their neighbours. The result, (n,), is 1
    where it differs from 1 by no more than noise.
    """
    places = np.flatnonzero(np.isfinite(brightness))
    if not len(places):
        return np.ones(len(brightness))
    values = np.interp(np.arange(len(brightness)), places, brightness[places])
    level = float(np.median(brightness[places]))
    ratios = np.clip(values / level, _MIN_RATIO, _MAX_RATIO)
    if window > 1:
        before = window // 2
        padded = np.pad(ratios, (before, window - 1 - before), mode="edge")
        ratios = np.convolve(padded, np.full(window, 1 / window), mode="valid")
    return _without_noise(np.asarray(ratios, np.float64), max(_NOISE_LEVELS / level, _NOISE_SHARE))


def _without_noise(ratios: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """Replace ratios that differ from 1 by at most `noise` with 1.

    Ratios that differ by more than twice `noise` are kept, those between are drawn towards 1 (firm threshold; Gao and Bruce, 1997).
    """
    change = ratios - 1
    size = np.abs(change)
    return np.asarray(1 + np.sign(change) * np.where(size > 2 * noise, size, np.maximum(2 * (size - noise), 0)), np.float64)


def exposed(planes: tuple[Plane, Plane, Plane], ratio: float) -> tuple[Plane, Plane, Plane]:
    """Multiply the exposure of limited-range planes by `ratio`."""
    if abs(ratio - 1) < 1 / 512:
        return planes
    levels = np.arange(256, dtype=np.float32)
    luma, chroma = (np.clip(np.rint((levels - zero) * ratio + zero), 0, 255).astype(np.uint8) for zero in (_BLACK, 128))
    y, u, v = (cv2.LUT(plane, curve) for plane, curve in zip(planes, (luma, chroma, chroma), strict=True))
    return np.asarray(y, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8)
