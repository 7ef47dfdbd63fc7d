"""Alpha values at the edges of a matte.

Alpha is the position of a pixel's colour between the plate's colour and the subject's. It is a least-squares projection, weighted by the
expected errors: noise, texture (the subject is brighter or darker than its colour nearby) and spill (the screen's light on the subject).
Colours are projected at half the size, because 4:2:0 video stores them so; finer detail comes from luma.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.chroma.colours import Rgb, others
from services.matting.chroma.screen import Screen

Planes = NDArray[np.float32]

_NOISE, _TEXTURE, _SPILL_SPREAD = 4.0, 12.0, 0.04
"""Expected errors of the subject's colour. Noise and texture are in levels of 255, spill is a share of the screen's colour."""
_SPILL = 0.1
"""Share of the screen's colour added to the subject's colour at its edge. More of the screen's light falls there than on the rest."""
_SPILL_OTHERS = 0.3  # spill in the two channels other than the screen's, relative to spill in the screen's channel
_HALF_CONTRAST = 150.0
"""Squared luma difference of plate and subject at which luma detail counts half. With a smaller difference, it counts less."""
_DETAIL_SIGMA = 1.7  # standard deviation, in pixels, of a blur that removes as much detail as halving the size
_LUMA = (0.2126, 0.7152, 0.0722)
"""Weights of R, G and B in luma (BT.709)."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Alpha of a frame's edge pixels, at half the frame's size.

    `alpha`: (h, w) float32 0..1. `gain`: (h, w) float32, change of alpha per level of luma.
    """

    alpha: NDArray[np.float32]
    gain: NDArray[np.float32]


class EdgeAlpha:
    """Computation of alpha at a subject's edges, in front of one screen."""

    def __init__(self, screen: Screen) -> None:
        self._spill = np.where(np.isin(range(3), others(screen.channel)), _SPILL_OTHERS, 1.0)
        spread = np.asarray(screen.colour) * self._spill * _SPILL_SPREAD
        covariance = _NOISE**2 * np.eye(3) + _TEXTURE**2 * np.ones((3, 3)) + np.outer(spread, spread)
        self._weights = np.linalg.inv(covariance).astype(np.float32)

    def project(self, small: Planes, plate: Planes, near: Planes) -> Edges:
        """Compute alpha from the position of each pixel's colour between plate and subject.

        `small`: the frame; `plate`: the empty screen; `near`: the subject's colours, extended over its edges. All (h, w, 3), 0..255.
        """
        lit = near + plate * (_SPILL * self._spill).astype(np.float32)
        line = lit - plate
        weighted = np.asarray(cv2.transform(line, self._weights), np.float32)
        squared = np.maximum(_summed(line, weighted), 1e-3)
        alpha = np.clip(_summed(small - plate, weighted) / squared, 0, 1)
        # Only luma has detail finer than half the size.
        contrast = np.asarray(cv2.transform(line, np.array([_LUMA], np.float32)), np.float32)
        gain = contrast / (contrast * contrast + _HALF_CONTRAST)
        return Edges(np.asarray(alpha, np.float32), np.ascontiguousarray(gain, np.float32))


def luma_detail(rgb: Rgb) -> NDArray[np.float32]:
    """Return the fine luma detail that pictures of half the size lose.

    Returns (H, W) float32, in levels of 255.
    """
    luma = cv2.transform(rgb, np.array([_LUMA], np.float32)).astype(np.float32)
    return np.asarray(luma - cv2.GaussianBlur(luma, (0, 0), _DETAIL_SIGMA), np.float32)


def _summed(first: Planes, second: Planes) -> NDArray[np.float32]:
    """Return the dot product of two pictures' colours at each pixel, (h, w)."""
    return np.asarray(cv2.transform(cv2.multiply(first, second), np.ones((1, 3), np.float32)), np.float32)
