"""Matching of a clean plate's exposure and white balance to a frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

_UNCHANGED_SHARE = 40  # percentage of a frame's pixels assumed to show the empty scene
_MIN_GAIN, _MAX_GAIN = 0.6, 1.6  # limits of a channel's gain
_DARK = 12.0  # level of the plate up to which pixels are not measured
_ROUNDS = 3  # number of rounds that measure the gain


@dataclass(frozen=True, slots=True, eq=False)
class MatchedPlate:
    """A clean plate, adapted to a frame's exposure and white balance.

    `plate`: (h, w, 3) float32, 0..255. `noise`: spread of the frame's values around the plate's, in levels of 255.
    """

    plate: Planes
    noise: float


def match_exposure(frame: Planes, plate: Planes) -> MatchedPlate:
    """Scale a plate's channels to match a frame's exposure.

    `frame`, `plate`: (h, w, 3), 0..255. In each round, the gain is measured on the pixels that fit the gain of the last round best, as
    these show the empty scene. A subject may cover half of the picture, or more if its colours are far from the plate's.
    """
    sampled = slice(None, None, max(frame.shape[0] // 180, 1)), slice(None, None, max(frame.shape[1] // 320, 1))
    pixels, expected = frame[sampled].reshape(-1, 3), plate[sampled].reshape(-1, 3)
    usable = (expected.min(1) > _DARK) & (pixels.max(1) < 250)
    pixels, expected = (pixels[usable], expected[usable]) if usable.sum() > 50 else (pixels, expected)
    gain = np.ones(3, np.float32)
    distance = np.abs(pixels - expected).max(1)
    for _ in range(_ROUNDS):
        still = distance <= np.percentile(distance, _UNCHANGED_SHARE) + 4
        gain = np.clip(np.median(pixels[still] / np.maximum(expected[still], 1), axis=0), _MIN_GAIN, _MAX_GAIN).astype(np.float32)
        distance = np.abs(pixels - expected * gain).max(1)
    matched = np.asarray(plate * gain, np.float32)
    # The pixels that fit best differ by noise only. The factor 1.25 converts the largest of three channels to the spread of one channel.
    noise = float(np.percentile(distance, _UNCHANGED_SHARE)) / 1.25
    return MatchedPlate(matched, min(max(noise, 1.5), 8.0))
