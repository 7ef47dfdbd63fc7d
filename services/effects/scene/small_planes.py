"""Planes of frames at reduced size, for motion measurement and soft ghosts."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import Frame
from shared.video.frames.planes import halve_toward

_REDUCTIONS = ((720, 4), (405, 2))
"""Pairs: minimum height of a frame, and divisor of its width and height. Divisors are powers of two, because halving is much
faster than other averaging."""


def small_size(width: int, height: int) -> tuple[int, int]:
    """Return the size (width, height) of a video's small planes.

    At 720 lines and more, width and height are a quarter of the frame's, from 405 lines on half. Smaller frames are not reduced.
    """
    factor = next((factor for least, factor in _REDUCTIONS if height >= least), 1)
    return max(round(width / factor), 1), max(round(height / factor), 1)


def reduced(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Scale a plane to `size` (width, height).

    Larger planes are averaged down. Smaller ones, as chroma planes can be, are interpolated.
    """
    if plane.shape[::-1] == size:
        return plane.copy()
    plane = halve_toward(plane, size)
    if plane.shape[::-1] == size:
        return plane
    interpolation = cv2.INTER_AREA if plane.shape[0] >= size[1] and plane.shape[1] >= size[0] else cv2.INTER_LINEAR
    return cv2.resize(plane, size, interpolation=interpolation)


def chroma_planes(frame: Frame) -> tuple[NDArray[Any], ...]:
    """Return the U and V planes of a frame.

    A gray frame has none.
    """
    planes = frame.planes()
    if frame.picture.format.name == "nv12":
        return tuple(np.ascontiguousarray(planes[1][:, :, part]) for part in range(2))
    return planes[1:3]
