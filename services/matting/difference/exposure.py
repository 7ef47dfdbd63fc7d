"""Match the exposure and white balance of a clean plate to a frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

_UNCHANGED_SHARE = 40
_LEAST_GAIN, _MOST_GAIN = 0.6, 1.6
_DARK = 12.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """`plate` (h, w, 3) float32 as bright as the frame; `noise`: spread of the frame's values about it, 0..255."""

    plate: Planes
    noise: float


def match_exposure(frame: Planes, plate: Planes) -> Matched:
    """Scale the channels of `plate` (h, w, 3) 0..255 so that what did not change has the frame's values.

    What did not change is the part that fits the last round's gain best. Half of the picture may be a subject, or more if it is far
    from the plate's colours.
    """
    sampled = slice(None, None, max(frame.shape[0] // 180, 1)), slice(None, None, max(frame.shape[1] // 320, 1))
    pixels, expected = frame[sampled].reshape(-1, 3), plate[sampled].reshape(-1, 3)
    usable = (expected.min(1) > _DARK) & (pixels.max(1) < 250)
    pixels, expected = (pixels[usable], expected[usable]) if usable.sum() > 50 else (pixels, expected)
    gain = np.ones(3, np.float32)
    distance = np.abs(pixels - expected).max(1)
    for _ in range(_ROUNDS):
        still = distance <= np.percentile(distance, _UNCHANGED_SHARE) + 4
        gain = np.clip(np.median(pixels[still] / np.maximum(expected[still], 1), axis=0), _LEAST_GAIN, _MOST_GAIN).astype(np.float32)
        distance = np.abs(pixels - expected * gain).max(1)
    matched = np.asarray(plate * gain, np.float32)
    # The half that fits best shows the noise alone; 1.25 corrects the largest of three channels to the spread of one.
    noise = float(np.percentile(distance, _UNCHANGED_SHARE)) / 1.25
    return Matched(matched, min(max(noise, 1.5), 8.0))
