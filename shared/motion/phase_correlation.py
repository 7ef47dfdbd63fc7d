"""Translation between two pictures: peaks of phase correlation, of which the one that most of the picture agrees with is refined.

Phase correlation: Kuglin and Hines, "The phase correlation image alignment method", 1975. It finds every shift that something in the
picture makes, and rates sharp edges highest, whoever they belong to: which of its peaks is the camera's is decided by how much of the
picture matches. The fraction of a pixel comes from least squares on the gradient (Lucas and Kanade, 1981), reweighted by how well each
pixel matches (Cauchy's weights), so that the subject does not pull at it.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.motion.view import View

Floats = NDArray[np.float32]
Shift = tuple[float, float]

_PEAKS = 3
_TEXTURE, _MOST_TEXTURE = 2.0, 8.0
"""Levels a pixel: a gradient that tells anything, and one beyond which an edge counts no more."""
_SPREAD = 6.0
_LEAST_TEXTURED, _LEAST_AGREEING = 0.01, 0.3
"""Parts of the picture that have to be textured, and of those that have to match, for the result to be believed."""
_FINE = 0.02
_STILL = 0.06
"""Pixels: a camera that seems to have moved by less stands still, and the subject pulls at it a little."""
_ROUNDS = 6
_LEAST_BACKGROUND = 0.02
"""Part of the picture that has to be background for a masked measurement."""
_OUT_OF_SIGHT = 2.0
"""Levels that what is not in both counts as: a pattern that repeats would else seem moved by a period that leaves the subject out."""


class PhaseCorrelation:
    """Shifts between pictures of one size, (width, height). What is made of the one before is kept for as long as it is the same."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._half = max(size[0] // 2, 4), max(size[1] // 2, 4)
        self._factor = size[0] / self._half[0], size[1] / self._half[1]
        self._window = cv2.createHanningWindow(self._half, cv2.CV_32F)
        self._of: View | None = None
        self._here, self._soft = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.uint8)

    def __call__(self, before: View, after: View, near: Shift) -> Shift | None:
        """Measure how far right and down the content of `before` has moved in `after`, in pixels; None where the views do not tell.

        `near`: a guess, from which up to half a picture is searched. What is not background in either view counts for nothing.
        """
        if self._of is not before:
            self._of, self._here, self._soft = before, self._smaller(before.picture), _softened(before.picture)
        here, there = self._here, self._smaller(after.picture)
        if before.background is not None or after.background is not None:
            return self._background_shift(before, after, there, near)
        guess = round(near[0] / self._factor[0]), round(near[1] / self._factor[1])
        texture = np.minimum(cv2.magnitude(*_gradient(there)), _MOST_TEXTURE)
        candidates = {guess, (0, 0)}
        candidates |= {(guess[0] + across, guess[1] + down) for across, down in self._peaks(_shifted(here, *guess), there)}
        best = min(candidates, key=lambda shift: (_mismatch(here, there, texture, shift), shift != guess))
        return _refined(self._soft, _softened(after.picture), (best[0] * self._factor[0], best[1] * self._factor[1]))

    def _background_shift(self, before: View, after: View, there: Floats, near: Shift) -> Shift | None:
        """Do the same with the subject blotted out of both pictures."""
        masks = [_mask_of(view) for view in (before, after)]
        small = [np.asarray(cv2.resize(mask, self._half, interpolation=cv2.INTER_AREA) >= 1, np.float32) for mask in masks]
        if min(float(mask.mean()) for mask in small) < _LEAST_BACKGROUND:
            return None
        guess = round(near[0] / self._factor[0]), round(near[1] / self._factor[1])
        texture = np.minimum(cv2.magnitude(*_gradient(there)), _MOST_TEXTURE) * small[1]
        filled = [_filled(picture, mask) for picture, mask in zip((self._here, there), small, strict=True)]
        candidates = {guess, (0, 0)}
        candidates |= {(guess[0] + across, guess[1] + down) for across, down in self._peaks(_shifted(filled[0], *guess), filled[1])}

        def mismatch(shift: tuple[int, int]) -> float:
            return _mismatch(filled[0], filled[1], texture * _shifted(small[0], *shift), shift)

        best = min(candidates, key=lambda shift: (mismatch(shift), shift != guess))
        start = best[0] * self._factor[0], best[1] * self._factor[1]
        return _refined(self._soft, _softened(after.picture), start, masks=(masks[0], masks[1]))

    def _smaller(self, picture: NDArray[np.uint8]) -> Floats:
        return np.asarray(cv2.resize(picture, self._half, interpolation=cv2.INTER_AREA), np.float32)

    def _peaks(self, here: Floats, there: Floats) -> list[tuple[int, int]]:
        width, height = self._half
        spectra = [np.fft.rfft2((one - one.mean()) * self._window) for one in (there, here)]
        cross = spectra[0] * spectra[1].conj()
        cross /= np.maximum(np.abs(cross), np.float32(1e-3))
        surface = cv2.blur(np.fft.fftshift(np.fft.irfft2(cross, (height, width))), (3, 3))
        found = []
        for _ in range(_PEAKS):
            _, _, _, (column, row) = cv2.minMaxLoc(surface)
            found.append((column - width // 2, row - height // 2))
            surface[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4] = -1
        return found


def _mask_of(view: View) -> Floats:
    """Return 1 for each pixel of the background, 0 for the others."""
    return np.ones(view.picture.shape, np.float32) if view.background is None else view.background.astype(np.float32)


def _filled(picture: Floats, mask: Floats) -> Floats:
    """Replace what is not background by the background's mean, so that its outline makes no edge."""
    mean = float(np.vdot(picture, mask)) / max(float(mask.sum()), 1.0)
    return np.asarray(picture * mask + np.float32(mean) * (1 - mask), np.float32)


def _shifted(picture: Floats, across: int, down: int) -> Floats:
    if not across and not down:
        return picture
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float64)
    moved = cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _mismatch(here: Floats, there: Floats, texture: Floats, shift: tuple[int, int]) -> float:
    """Mean difference, at most 20 levels a pixel, over what both show, where texture counts more; the rest counts by its share."""
    across, down = shift
    height, width = there.shape
    rows, columns = slice(max(down, 0), min(height + down, height)), slice(max(across, 0), min(width + across, width))
    if rows.stop - rows.start < height / 3 or columns.stop - columns.start < width / 3:
        return float("inf")
    moved = here[rows.start - down : rows.stop - down, columns.start - across : columns.stop - across]
    off = there[rows, columns] - moved
    weight = texture[rows, columns]
    far = np.minimum(np.abs(off - _median(off[::4, ::4])), 20)
    mean = float(np.vdot(far, weight)) / max(float(weight.sum()), 1e-6)
    return mean + _OUT_OF_SIGHT * (1 - off.size / there.size)


def _refined(
    source: NDArray[np.uint8], target: NDArray[np.uint8], start: Shift, masks: tuple[Floats, Floats] | None = None
) -> Shift | None:
    """Refine a shift between softened pictures to a few hundredths of a pixel, begun within a pixel or two; None where too little matches.

    `masks`: 1 where a pixel of `source` and of `target` counts, 0 where it does not.
    """
    across, down = (np.ascontiguousarray(part[1::2, 1::2]) for part in _gradient(target))
    aim = target[1::2, 1::2].astype(np.float32)
    height, width = target.shape
    shift = np.array(start, np.float64)
    seen: tuple[slice, slice] | None = None
    for _ in range(_ROUNDS):
        # Every second pixel of what `source` shows there.
        matrix = np.array([[2, 0, 1 - shift[0]], [0, 2, 1 - shift[1]]])
        moved = cv2.warpAffine(
            source, matrix, aim.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
        both = _in_both(shift[1], height), _in_both(shift[0], width)
        if both != seen:
            seen = both
            right, below = (np.ascontiguousarray(part[seen]) for part in (across, down))
        off = aim[seen] - moved[seen]
        if not off.size:
            return None
        counted = None if masks is None else _counted(masks, matrix, both)
        off -= _median(off.ravel()[::7] if counted is None else off[counted][::7] if counted.any() else np.zeros(1, np.float32))
        weight = np.square(off * np.float32(1 / _SPREAD))
        weight += 1
        if counted is not None:
            weight[~counted] = np.inf
        gx, gy = right / weight, below / weight
        mixed = float(np.vdot(gx, below))
        normal = np.array([[float(np.vdot(gx, right)), mixed], [mixed, float(np.vdot(gy, below))]])
        # A little of the identity: stripes tell nothing about what lies along them.
        step = -np.linalg.solve(normal + np.eye(2) * (1e-3 * np.trace(normal) + 1e-6), [float(np.vdot(gx, off)), float(np.vdot(gy, off))])
        shift += np.clip(step, -2, 2)
        if np.abs(step).max() < _FINE:
            break
    steep = cv2.magnitude(right, below)
    textured = steep > _TEXTURE
    size = aim.size
    if counted is not None:
        textured &= counted
        size = int(np.count_nonzero(counted))
    if not textured.any() or np.count_nonzero(textured) < _LEAST_TEXTURED * size:
        return None
    if (np.abs(off[textured]) < np.maximum(_SPREAD, 0.5 * steep[textured])).mean() < _LEAST_AGREEING:
        return None
    return float(_snapped(shift[0])), float(_snapped(shift[1]))


def _counted(masks: tuple[Floats, Floats], matrix: NDArray[np.float64], both: tuple[slice, slice]) -> NDArray[np.bool_]:
    """Every second pixel that counts in the target and, moved by `matrix`, in the source."""
    target = masks[1][1::2, 1::2]
    moved = cv2.warpAffine(
        masks[0], matrix, target.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray((target[both] > 0) & (moved[both] > 0.99), np.bool_)


def _in_both(shift: float, length: int) -> slice:
    """Which of every second of `length` pixels, from the second on, both pictures show, one moved by `shift`."""
    first, last = math.ceil(shift / 2), math.floor((length - 3 + shift) / 2)
    return slice(min(max(first, 0), length // 2), max(min(last + 1, length // 2), 0))


def _snapped(shift: float) -> float:
    return 0.0 if abs(shift) < _STILL else shift


def _softened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.blur(picture, (3, 3)), np.uint8)


def _gradient(picture: NDArray[Any]) -> tuple[Floats, Floats]:
    """Levels a pixel to the right and down."""
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _median(values: Floats) -> np.float32:
    """The median of some values: that of `np.median`, which takes several times as long for as few, or the upper one of two."""
    flat = values.ravel()
    return np.float32(np.partition(flat, len(flat) // 2)[len(flat) // 2])
