"""Reference frame with its matte, and filling behind the subject."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import Invalid
from shared.video import read_together
from shared.video.frames.push_pull import push_pull
from shared.video.frames.scaling import scaled

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A reference frame of the clip with its matte.

    `rgb`: uint8 (height, width, 3); `matte`: uint8 (height, width), white is the subject; `time`: seconds.
    """

    rgb: NDArray[np.uint8]
    matte: NDArray[np.uint8]
    time: Fraction


def reference_frame(video: Path, alpha: Path, time: Fraction, size: tuple[int, int]) -> Reference:
    """Read the clip's first frame at or after `time`, and that frame's matte.

    Both are scaled to `size` (width, height). Raises Invalid if there is no such frame.
    """
    with read_together(video, alpha, opaque=True, start=time or None, to_sdr8=True, prefetch=1) as pairs:
        for frame, matte in pairs:
            return Reference(frame.rgb(size), scaled(matte.matte(), size), frame.time)
    raise Invalid(f"No frame of the video begins at or after {float(time):g} s. Choose an earlier time.")


def subject_mask(matte: NDArray[np.uint8], grow: int) -> NDArray[np.uint8]:
    """Return the subject's mask, dilated by `grow` pixels.

    Returns uint8 (height, width): 255 in the mask, else 0.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    return np.where(cv2.dilate((matte > 8).astype(np.uint8), kernel) > 0, 255, 0).astype(np.uint8)


def without_subject(values: Floats, mask: NDArray[np.uint8]) -> Floats:
    """Fill the part of `values` that `mask` marks, smoothly from its surroundings.

    `values`: float32 (height, width, channels); `mask`: uint8 (height, width), not 0 where to fill.
    """
    return push_pull(values, (mask == 0).astype(np.float32))


def extended(values: Floats, width: int, height: int) -> Floats:
    """Extend a picture smoothly to a larger size.

    `values`: the picture, float32 (h, w, channels). Returns float32 (height, width, channels) with the picture in the middle.
    """
    high, wide, channels = values.shape
    top, left = (height - high) // 2, (width - wide) // 2
    large = np.zeros((height, width, channels), np.float32)
    weights = np.zeros((height, width), np.float32)
    large[top : top + high, left : left + wide] = values
    weights[top : top + high, left : left + wide] = 1
    return push_pull(large, weights)
