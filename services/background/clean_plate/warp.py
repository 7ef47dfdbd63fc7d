"""Warps of a frame's planes onto a canvas."""

import cv2
import numpy as np

from services.background.clip.planes import Plane, Planes
from services.background.median.masked_median import NO_SAMPLE
from shared.motion.camera import Matrix, scale_matrix

_WHOLE = 250
"""Least weight of the background, of 255, at which a warped pixel counts as pure background."""


def warped(planes: Planes, background: Plane, matrix: Matrix, shape: tuple[int, ...]) -> tuple[Planes, Plane]:
    """Warp a frame's planes and the mask of its background.

    `matrix` (3, 3) maps the frame's luma pixels to the canvas's; `shape`: (height, width) of the canvas. Interpolation is cubic. The
    second result is uint8, 255 where the warped luma is pure background.
    """
    height, width = shape[:2]
    half = (height + 1) // 2, (width + 1) // 2
    chroma_matrix = scale_matrix(matrix, 0.5, 0.5)
    luma = _moved(planes[0], matrix, (height, width))
    u, v = (_moved(plane, chroma_matrix, half) for plane in planes[1:])
    visible = cv2.warpPerspective(background, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return (luma, u, v), np.where(visible > _WHOLE, 255, 0).astype(np.uint8)


def marked(planes: Planes, visible: Plane) -> Planes:
    """Set pixels without background to NO_SAMPLE.

    A real 255 becomes 254.
    """
    half = planes[1].shape
    # A chroma sample is valid where all luma samples around it are.
    inner = cv2.erode(visible, np.ones((3, 3), np.uint8))
    small = cv2.resize(inner, half[::-1], interpolation=cv2.INTER_NEAREST)
    marks = (visible, small, small)
    luma, u, v = (np.where(mark == 255, np.minimum(plane, NO_SAMPLE - 1), NO_SAMPLE) for plane, mark in zip(planes, marks, strict=True))
    return luma.astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8)


def _moved(plane: Plane, matrix: Matrix, shape: tuple[int, int]) -> Plane:
    moved = cv2.warpPerspective(plane, matrix, shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
