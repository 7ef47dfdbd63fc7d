"""Warping of a frame's planes onto a canvas."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.clip.planes import Plane, Planes
from services.background.median.masked_median import NO_SAMPLE
from shared.motion.camera import Matrix, scale_matrix

Mask = NDArray[np.bool_]

_WHOLE = 250
"""Minimum background mask value, 0 to 255, of a pixel without the subject."""


def warped(planes: Planes, background: Plane, matrix: Matrix, shape: tuple[int, ...]) -> tuple[Planes, Plane]:
    """Warp a frame's planes and its background mask onto the canvas.

    `matrix` (3, 3) maps the frame's luma pixels to the canvas's; `shape`: (height, width) of the canvas. Interpolation is cubic. The
    second result is uint8, 255 where the warped luma is pure background.
    """
    visible = _pure(background, matrix, shape) & _inside(planes[0], matrix, shape)
    return _moved(planes, matrix, shape), np.where(visible, 255, 0).astype(np.uint8)


def sample_of(planes: Planes, background: Plane, matrix: Matrix, shape: tuple[int, ...]) -> Planes:
    """Warp a frame's planes onto the canvas, with NO_SAMPLE where no background shows.

    Arguments are those of `warped`. A real 255 becomes 254.
    """
    pure = _pure(background, matrix, shape)
    # A chroma sample is valid where all luma samples around it are.
    inner = cv2.erode(pure.view(np.uint8), np.ones((3, 3), np.uint8))[::2, ::2] > 0
    valid = pure & _inside(planes[0], matrix, shape)
    small = inner & _inside(planes[1], scale_matrix(matrix, 0.5, 0.5), inner.shape)
    masks = (valid, small, small)
    moved = _moved(planes, matrix, shape)
    luma, u, v = (np.where(mask, np.minimum(plane, NO_SAMPLE - 1), NO_SAMPLE) for plane, mask in zip(moved, masks, strict=True))
    return luma.astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8)


def _moved(planes: Planes, matrix: Matrix, shape: tuple[int, ...]) -> Planes:
    height, width = shape[:2]
    half = (width + 1) // 2, (height + 1) // 2
    small = scale_matrix(matrix, 0.5, 0.5)
    luma, u, v = (
        cv2.warpPerspective(plane, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for plane, place, size in zip(planes, (matrix, small, small), ((width, height), half, half), strict=True)
    )
    return np.asarray(luma, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8)


def _pure(background: Plane, matrix: Matrix, shape: tuple[int, ...]) -> Mask:
    """Return a mask of canvas pixels that the subject does not touch."""
    moved = cv2.warpPerspective(background, matrix, shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved > _WHOLE, np.bool_)


def _inside(plane: Plane, matrix: Matrix, shape: tuple[int, ...]) -> Mask:
    """Return a mask of canvas pixels whose centre lies inside the frame.

    A pixel of the frame is a square around its centre, so the outermost pixels count as a whole.
    """
    moved = cv2.warpPerspective(np.full(plane.shape, 1, np.uint8), matrix, shape[1::-1], flags=cv2.INTER_NEAREST)
    return np.asarray(moved > 0, np.bool_)
