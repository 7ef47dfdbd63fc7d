"""The translation between two pictures, by phase correlation.

Phase correlation: Kuglin and Hines, "The phase correlation image alignment method", 1975. It has a peak for every moving object, highest
for sharp edges. The camera's peak is the one at which most of the picture matches. The fraction of a pixel comes from least squares on the
gradient (Lucas and Kanade, 1981), reweighted by how well each pixel matches (Cauchy's weights), so that the subject does not bias it.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.motion.view import View

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]
Shift = tuple[float, float]

_PEAKS = 3
"""Number of candidate shifts: the highest peaks of the phase correlation."""
_TEXTURE, _MOST_TEXTURE = 2.0, 8.0
"""Smallest gradient that counts, and largest weight of an edge, in levels per pixel."""
_SPREAD = 6.0
"""Mismatch, in levels, of a pixel that belongs to another motion. Above it, the pixel's weight falls quickly."""
_LEAST_TEXTURED, _LEAST_AGREEING = 0.01, 0.3
"""Minimum shares, for a valid result: textured pixels, and matching pixels among these."""
_FINE = 0.02
"""Step of the refinement, in pixels, below which the refinement ends."""
_STILL = 0.06
"""Shift in pixels below which the camera counts as still. The subject biases the result a little."""
_ROUNDS = 6
"""Maximum number of steps of the refinement."""
_LEAST_BACKGROUND = 0.02
"""Minimum share of the picture that a masked measurement needs as background."""
_OUT_OF_SIGHT = 2.0
"""Mismatch, in levels, of parts that only one picture shows. Without it, a repeated pattern could match a whole period away."""


class PhaseCorrelation:
    """A method that measures the shift between two pictures of a fixed size.

    `size`: (width, height). `from_guess`: refine the fraction of a pixel from the guess, which takes fewer rounds. Intermediate pictures of
    `before`, and their spectrum at the latest guess, are kept until another `before`
    comes.
    """

    def __init__(self, size: tuple[int, int], *, from_guess: bool = False) -> None:
        self._from_guess = from_guess
        self._half = max(size[0] // 2, 4), max(size[1] // 2, 4)
        self._factor = size[0] / self._half[0], size[1] / self._half[1]
        self._window = cv2.createHanningWindow(self._half, cv2.CV_32F)
        self._of: View | None = None
        self._before, self._soft = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.uint8)
        self._guess: tuple[int, int] | None = None
        self._spectrum = np.zeros((0, 0), np.complex64)

    def __call__(self, before: View, after: View, near: Shift) -> Shift | None:
        """Measure the shift of the content from `before` to `after`.

        Right and down, in pixels. `near`: a guess; shifts up to half a picture from it are searched. Only pixels that are background in
        both views count. None if the views do not show the shift.
        """
        if self._of is not before:
            self._of, self._before, self._soft = before, self._smaller(before.picture), _softened(before.picture)
            self._guess = None
        first, second = self._before, self._smaller(after.picture)
        if before.background is not None or after.background is not None:
            return self._background_shift(before, after, second, near)
        guess = round(near[0] / self._factor[0]), round(near[1] / self._factor[1])
        if guess != self._guess:
            self._guess, self._spectrum = guess, self._spectrum_of(_shifted(first, *guess))
        texture = np.minimum(cv2.magnitude(*_gradient(second)), _MOST_TEXTURE)
        candidates = {guess, (0, 0)}
        candidates |= {(guess[0] + across, guess[1] + down) for across, down in self._peaks(self._spectrum, self._spectrum_of(second))}
        best = min(candidates, key=lambda shift: (_mismatch(first, second, texture, shift), shift != guess))
        start = near if self._from_guess and best == guess else (best[0] * self._factor[0], best[1] * self._factor[1])
        return _refined(self._soft, _softened(after.picture), start)

    def _background_shift(self, before: View, after: View, second: Floats, near: Shift) -> Shift | None:
        """Measure the background's shift from `before` to `after`, with the subject filled in.

        `second`: the picture of `after` at half size.
        """
        masks = [_mask_of(view) for view in (before, after)]
        small = [np.asarray(cv2.resize(mask, self._half, interpolation=cv2.INTER_AREA) >= 1, np.float32) for mask in masks]
        if min(float(mask.mean()) for mask in small) < _LEAST_BACKGROUND:
            return None
        guess = round(near[0] / self._factor[0]), round(near[1] / self._factor[1])
        texture = np.minimum(cv2.magnitude(*_gradient(second)), _MOST_TEXTURE) * small[1]
        filled = [_filled(picture, mask) for picture, mask in zip((self._before, second), small, strict=True)]
        candidates = {guess, (0, 0)}
        spectra = [self._spectrum_of(picture) for picture in (_shifted(filled[0], *guess), filled[1])]
        candidates |= {(guess[0] + across, guess[1] + down) for across, down in self._peaks(spectra[0], spectra[1])}

        def mismatch(shift: tuple[int, int]) -> float:
            return _mismatch(filled[0], filled[1], texture * _shifted(small[0], *shift), shift)

        best = min(candidates, key=lambda shift: (mismatch(shift), shift != guess))
        start = best[0] * self._factor[0], best[1] * self._factor[1]
        return _refined(self._soft, _softened(after.picture), start, masks=(masks[0], masks[1]))

    def _smaller(self, picture: NDArray[np.uint8]) -> Floats:
        return np.asarray(cv2.resize(picture, self._half, interpolation=cv2.INTER_AREA), np.float32)

    def _spectrum_of(self, picture: Floats) -> Spectrum:
        return np.asarray(np.fft.rfft2((picture - picture.mean()) * self._window), np.complex64)

    def _peaks(self, first: Spectrum, second: Spectrum) -> list[tuple[int, int]]:
        width, height = self._half
        cross = second * first.conj()
        cross /= np.maximum(np.abs(cross), np.float32(1e-3))
        surface = cv2.blur(np.fft.fftshift(np.fft.irfft2(cross, (height, width))), (3, 3))
        peaks = []
        for _ in range(_PEAKS):
            _, _, _, (column, row) = cv2.minMaxLoc(surface)
            peaks.append((column - width // 2, row - height // 2))
            surface[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4] = -1
        return peaks


def _mask_of(view: View) -> Floats:
    """Return the mask of background pixels as floats, 1 or 0."""
    return np.ones(view.picture.shape, np.float32) if view.background is None else view.background.astype(np.float32)


def _filled(picture: Floats, mask: Floats) -> Floats:
    """Fill pixels outside the background `mask` with the background's mean level.

    Then the subject's outline makes no edge.
    """
    mean = float(np.vdot(picture, mask)) / max(float(mask.sum()), 1.0)
    return np.asarray(picture * mask + np.float32(mean) * (1 - mask), np.float32)


def _shifted(picture: Floats, across: int, down: int) -> Floats:
    if not across and not down:
        return picture
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float64)
    moved = cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _mismatch(first: Floats, second: Floats, texture: Floats, shift: tuple[int, int]) -> float:
    """Return the mean difference between `second` and `first` moved by `shift`.

    The mean is weighted by texture; a pixel counts for at most 20 levels. Parts that only one picture shows count with `_OUT_OF_SIGHT`.
    """
    across, down = shift
    height, width = second.shape
    rows, columns = slice(max(down, 0), min(height + down, height)), slice(max(across, 0), min(width + across, width))
    if rows.stop - rows.start < height / 3 or columns.stop - columns.start < width / 3:
        return float("inf")
    moved = first[rows.start - down : rows.stop - down, columns.start - across : columns.stop - across]
    off = second[rows, columns] - moved
    weight = texture[rows, columns]
    far = np.minimum(np.abs(off - _median(off[::4, ::4])), 20)
    mean = float(np.vdot(far, weight)) / max(float(weight.sum()), 1e-6)
    return mean + _OUT_OF_SIGHT * (1 - off.size / second.size)


def _refined(
    source: NDArray[np.uint8], target: NDArray[np.uint8], start: Shift, masks: tuple[Floats, Floats] | None = None
) -> Shift | None:
    """Refine the shift `start` between two softened pictures.

    The result is exact to a few hundredths of a pixel. `start` must be right within two pixels. None if too little matches. `masks`: 1
    where a pixel of `source` and of `target` counts, 0 where it does not.
    """
    across, down = (np.ascontiguousarray(part[1::2, 1::2]) for part in _gradient(target))
    aim = target[1::2, 1::2].astype(np.float32)
    height, width = target.shape
    shift = np.array(start, np.float64)
    region: tuple[slice, slice] | None = None
    for _ in range(_ROUNDS):
        # Every second pixel of `source` at the shifted position.
        matrix = np.array([[2, 0, 1 - shift[0]], [0, 2, 1 - shift[1]]])
        moved = cv2.warpAffine(
            source, matrix, aim.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
        overlap = _in_both(shift[1], height), _in_both(shift[0], width)
        if overlap != region:
            region = overlap
            right, below = (np.ascontiguousarray(part[region]) for part in (across, down))
        off = aim[region] - moved[region]
        if not off.size:
            return None
        counted = None if masks is None else _counted(masks, matrix, overlap)
        off -= _median(off.ravel()[::7] if counted is None else off[counted][::7] if counted.any() else np.zeros(1, np.float32))
        weight = np.square(off * np.float32(1 / _SPREAD))
        weight += 1
        if counted is not None:
            weight[~counted] = np.inf
        gx, gy = right / weight, below / weight
        mixed = float(np.vdot(gx, below))
        normal = np.array([[float(np.vdot(gx, right)), mixed], [mixed, float(np.vdot(gy, below))]])
        # A small multiple of the identity: stripes show no shift along themselves.
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


def _counted(masks: tuple[Floats, Floats], matrix: NDArray[np.float64], overlap: tuple[slice, slice]) -> NDArray[np.bool_]:
    """Select the pixels that are background in both pictures.

    Only every second pixel of the target is included. The source is moved by `matrix`.
    """
    target = masks[1][1::2, 1::2]
    moved = cv2.warpAffine(
        masks[0], matrix, target.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray((target[overlap] > 0) & (moved[overlap] > 0.99), np.bool_)


def _in_both(shift: float, length: int) -> slice:
    """Return the pixels of an axis that both pictures show after a shift.

    The slice covers every second of `length` pixels.
    """
    first, last = math.ceil(shift / 2), math.floor((length - 3 + shift) / 2)
    return slice(min(max(first, 0), length // 2), max(min(last + 1, length // 2), 0))


def _snapped(shift: float) -> float:
    return 0.0 if abs(shift) < _STILL else shift


def _softened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.blur(picture, (3, 3)), np.uint8)


def _gradient(picture: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the gradients to the right and downwards, in levels per pixel."""
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _median(values: Floats) -> np.float32:
    """Return the median; the upper middle value for an even count.

    For few values this is several times as fast as `np.median`.
    """
    flat = values.ravel()
    return np.float32(np.partition(flat, len(flat) // 2)[len(flat) // 2])
