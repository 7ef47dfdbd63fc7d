"""Light wrap: background light spilling over the subject's edge."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.mixing.over_operator import over, reached

Plane = NDArray[np.uint8]

_HEIGHT = 135  # approximate height, in pixels, of the reduced pictures on which light is blurred


def wrapped(planes: Sequence[Plane], backgrounds: Sequence[Plane], alphas: Sequence[Plane], strength: float) -> list[Plane]:
    """Mix blurred `backgrounds` into the subject's edge in a composite's `planes`.

    `planes`, `backgrounds`, `alphas`: planes of the same sizes. `strength`: 0 to 1. The amount of light at a pixel is the amount of
    background near it: 1 - alpha, blurred. The blurs run at a height of about 135 pixels. Only pixels that the light reaches change.
    """
    luma_alpha = alphas[0]
    height, width = luma_alpha.shape
    step = max(round(height / _HEIGHT), 1)
    size = max(width // step, 2), max(height // step, 2)
    small = cv2.resize(luma_alpha, size, interpolation=cv2.INTER_AREA)
    spread = max(size[1] / 60, 1.0)
    outside = cv2.GaussianBlur(255 - small, (0, 0), spread)
    weight = np.asarray(cv2.multiply(outside, small, scale=strength / 255), np.uint8)
    # No light reaches the inside of the subject; a weight of one or two levels is noise.
    weight[weight < 3] = 0
    if not weight.any():
        return list(planes)
    mixed = []
    for plane, background in zip(planes, backgrounds, strict=True):
        glow = np.asarray(cv2.GaussianBlur(cv2.resize(background, size, interpolation=cv2.INTER_AREA), (0, 0), spread * 1.5), np.uint8)
        place = _enlarged_place(weight, plane.shape)
        lit = plane.copy()
        lit[place] = over(_enlarged(glow, plane.shape, place), plane[place], _enlarged(weight, plane.shape, place))
        mixed.append(lit)
    return mixed


def _enlarged_place(weight: Plane, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the area that `weight` covers after enlargement to `shape`.

    Rows and columns are those of a plane of `shape`.
    """
    place = reached(weight)
    assert place is not None
    # Interpolation reaches as far as the next pixel.
    rows, columns = (
        slice(max(int((axis.start - 1) * large / small), 0), min(int(np.ceil((axis.stop + 1) * large / small)), large))
        for axis, large, small in zip(place, shape, weight.shape, strict=True)
    )
    return rows, columns


def _enlarged(small: Plane, shape: tuple[int, ...], place: tuple[slice, slice]) -> Plane:
    """Enlarge a small plane to `shape`, and return the part `place`.

    Interpolation is linear.
    """
    steps = [large // little for large, little in zip(shape, small.shape, strict=True)]
    if [little * step for little, step in zip(small.shape, steps, strict=True)] != list(shape):
        return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR)[place], np.uint8)
    # Only the part and one pixel around it are enlarged.
    first = [max(axis.start // step - 1, 0) for axis, step in zip(place, steps, strict=True)]
    part = small[first[0] : -(-place[0].stop // steps[0]) + 1, first[1] : -(-place[1].stop // steps[1]) + 1]
    large = cv2.resize(part, (part.shape[1] * steps[1], part.shape[0] * steps[0]), interpolation=cv2.INTER_LINEAR)
    rows, columns = (
        slice(axis.start - before * step, axis.stop - before * step) for axis, before, step in zip(place, first, steps, strict=True)
    )
    return np.asarray(large[rows, columns], np.uint8)
