"""Camera motion from optical flow, with shake removed.

The camera's motion is one affine motion that most of the picture follows.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

SHAKE_S = 0.5
"""Seconds over which camera motion is averaged to remove shake. This is a Gaussian's full width at half maximum.

A tenth of a 2 Hz shake is left, and nothing from 3 Hz on."""

_STEP = 8  # pixels between the vectors that are fitted
_ROUNDS = 8  # maximum number of rounds of reweighted least squares
_MIN_SPREAD = 0.1  # minimum spread of the vectors around the fit, in pixels: the spread of the flow's own errors
_MIDDLE = 0.3  # weight of a vector in the middle of the picture; at its border, where background is more likely, the weight is 1
_REGULARIZATION = np.diag([1e-9, 1e-3, 1e-3])
"""Regularization of the least-squares equations, for pictures with texture in one place only. Such pictures do not determine zoom
and rotation."""
_CELLS_PER_S = 36  # cells per second of the grid on which camera motion is smoothed
_FWHM = 2.355  # full width at half maximum of a Gaussian, in standard deviations


class Camera:
    """Estimator of affine camera motion from flow fields.

    All fields have one size. The size is (height, width) in pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self.diagonal = math.hypot(width, height)
        y, x = np.mgrid[_STEP // 2 : height : _STEP, _STEP // 2 : width : _STEP]
        across, down = (x - (width - 1) / 2) / self.diagonal, (y - (height - 1) / 2) / self.diagonal
        self._at: Floats = np.stack([np.ones(x.size), across.ravel(), down.ravel()])
        edge = np.maximum(np.abs(across) * self.diagonal / (width / 2), np.abs(down) * self.diagonal / (height / 2)).ravel()
        self._prior = _MIDDLE + (1 - _MIDDLE) * np.clip(edge, 0, 1) ** 2
        self._across: Field = ((np.arange(width) - (width - 1) / 2) / self.diagonal).astype(np.float32)[None, :]
        self._down: Field = ((np.arange(height) - (height - 1) / 2) / self.diagonal).astype(np.float32)[:, None]

    def fit(self, flow: Field, confidence: Field, *, every: int = 1) -> Floats:
        """Fit an affine motion (3, 2) to a flow field in pixels.

        `flow`: (height, width, 2). The rows of the result are the motion (x, y) of the picture's centre and its change over one diagonal to
        the right and one diagonal down. `confidence`: confidence in the vectors, 0 to 1. `every`: distance between the rows, and the
        columns, of `confidence` in pixels: 1, 2 or 4. The method is iteratively reweighted least squares with Cauchy weights (Holland and
        Welsch, 1977), starting at the median. The weights' scale is the median distance, so other motion on less than half of the weight
        has no effect.
        """
        vectors = flow[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP].reshape(-1, 2).T.astype(np.float64)
        first, step = _STEP // 2 // every, _STEP // every
        trust = self._prior * confidence[first::step, first::step].ravel()
        if trust.sum() < 1e-6:
            return np.zeros((3, 2))
        motion = np.zeros((2, 3))
        motion[:, 0] = [_weighted_median(values, trust) for values in vectors]
        for _ in range(_ROUNDS):
            residuals = vectors - motion @ self._at
            distances = np.sqrt(residuals[0] ** 2 + residuals[1] ** 2)
            spread = max(1.5 * _weighted_median(distances, trust), _MIN_SPREAD)
            weighted = self._at * (trust / (1 + (distances / spread) ** 2))
            # Not np.linalg.solve: its checks take longer than three equations do.
            better = cv2.solve(weighted @ self._at.T + _REGULARIZATION, weighted @ vectors.T, flags=cv2.DECOMP_CHOLESKY)[1].T
            done = float(np.abs(better - motion).max()) < 1e-3
            motion = better
            if done:
                break
        return np.ascontiguousarray(motion.T)

    def field(self, motion: Floats, *, every: int = 1) -> tuple[Field, Field]:
        """Return the flow field of a camera motion: x and y in pixels.

        `every`: distance between the rows, and the columns, of the result in pixels.
        """
        (b0, b1), (x0, x1), (y0, y1) = motion.astype(np.float32)
        across, down = self._across[:, ::every], self._down[::every]
        return b0 + x0 * across + y0 * down, b1 + x1 * across + y1 * down


def length(motion: Floats, width: int, height: int) -> Floats:
    """Return the root mean square distance that affine motions move a picture's pixels.

    `motion`: (..., 3, 2). The result has the unit of `motion`.
    """
    square = width**2 + height**2
    share = np.array([1.0, width**2 / square / 12, height**2 / square / 12])
    lengths: Floats = np.sqrt((motion**2).sum(axis=-1) @ share)
    return lengths


def without_shake(motions: Floats, ends: Floats) -> Floats:
    """Remove shake by averaging camera motion over SHAKE_S seconds.

    `motions`: (n, 3, 2) per second; `motions[i]` covers the time from `ends[i - 1]` (or 0) to `ends[i]`, in seconds.
    """
    starts = np.append(0.0, ends[:-1])
    if len(ends) < 3 or float(np.median(ends - starts)) > SHAKE_S / 2:
        return motions
    cells = max(math.ceil(float(ends[-1]) * _CELLS_PER_S), 1)
    edges = np.linspace(0, float(ends[-1]), cells + 1)
    sigma = SHAKE_S / _FWHM / (edges[1] - edges[0])
    reach = min(math.ceil(3 * sigma), 4 * cells)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    steady = np.empty_like(motions)
    for row, column in np.ndindex(3, 2):
        path = np.append(0.0, np.cumsum(motions[:, row, column] * (ends - starts)))
        means = np.diff(np.interp(edges, np.append(0.0, ends), path)) / (edges[1] - edges[0])
        smooth = np.convolve(np.pad(means, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
        steady[:, row, column] = np.interp((starts + ends) / 2, (edges[1:] + edges[:-1]) / 2, smooth)
    return steady


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = values.argsort()
    total = weights[order].cumsum()
    return float(values[order[total.searchsorted(total[-1] / 2)]])
