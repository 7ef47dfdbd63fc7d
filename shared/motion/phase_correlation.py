"""Translation between two pictures: the peaks of phase correlation, the one that most of the picture agrees with, refined.

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
_OUT_OF_SIGHT = 2.0
"""Levels that what is not in both counts as: a pattern that repeats would else seem moved by a period that leaves the subject out."""


class PhaseCorrelation:
    """Shifts between pictures of one size, (width, height). What is made of the one before is kept for as long as it is the same."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._half = max(size[0] // 2, 4), max(size[1] // 2, 4)
        self._factor = size[0] / self._half[0], size[1] / self._half[1]
        self._window = cv2.createHanningWindow(self._half, cv2.CV_32F)
        self._of: NDArray[np.uint8] | None = None
        self._here, self._soft = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.uint8)

    def __call__(self, before: NDArray[np.uint8], after: NDArray[np.uint8], near: Shift) -> Shift | None:
        """How far right and down what is in `before` has moved in `after`, in pixels; None where that cannot be told.

        `near`: a guess, from which up to half a picture is searched.
        """
        if self._of is not before:
            self._of, self._here, self._soft = before, self._smaller(before), _softened(before)
        here, there = self._here, self._smaller(after)
        guess = round(near[0] / self._factor[0]), round(near[1] / self._factor[1])
        texture = np.minimum(cv2.magnitude(*_gradient(there)), _MOST_TEXTURE)
        candidates = {guess, (0, 0)}
        candidates |= {(guess[0] + across, guess[1] + down) for across, down in self._peaks(_shifted(here, *guess), there)}
        best = min(candidates, key=lambda shift: (_mismatch(here, there, texture, shift), shift != guess))
        return _refined(self._soft, _softened(after), (best[0] * self._factor[0], best[1] * self._factor[1]))

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


def _refined(source: NDArray[np.uint8], target: NDArray[np.uint8], start: Shift) -> Shift | None:
    """The shift between softened pictures to a few hundredths of a pixel, begun within a pixel or two; None where too little matches."""
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
        off -= _median(off.ravel()[::7])
        weight = np.square(off * np.float32(1 / _SPREAD))
        weight += 1
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
    if np.count_nonzero(textured) < _LEAST_TEXTURED * aim.size:
        return None
    if (np.abs(off[textured]) < np.maximum(_SPREAD, 0.5 * steep[textured])).mean() < _LEAST_AGREEING:
        return None
    return float(_snapped(shift[0])), float(_snapped(shift[1]))


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
