"""Small pictures with a background mask, for measuring camera motion."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video.frames.planes import halve_toward
from shared.video.frames.scaling import scaled

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_SUBJECT_FROM = 16
"""Value of a mask from which a pixel counts as subject. It includes soft edges."""
_MARGIN = 7
"""Pixels around the subject that count as subject. This is half the window that corners are tracked in."""


@dataclass(frozen=True, eq=False)
class View:
    """A small picture and the mask of its background.

    `picture`: (h, w) uint8 luma. `background`: (h, w), true where the camera may be measured; None: everywhere.
    """

    picture: Gray
    background: Mask | None = None

    @cached_property
    def thumbnail(self) -> NDArray[np.float64]:
        """The picture, shrunk to 48x27 pixels at most."""
        return thumbnail(self.picture)


def thumbnail(picture: Gray) -> NDArray[np.float64]:
    """Shrink a picture to 48x27 pixels at most."""
    size = min(picture.shape[1], 48), min(picture.shape[0], 27)
    return np.asarray(cv2.resize(halve_toward(picture, size), size, interpolation=cv2.INTER_AREA), np.float64)


def view_of(picture: Gray, subject: Gray | None) -> View:
    """Make a view of `picture`, with everything outside `subject` as its background.

    `subject`: (h, w) uint8 of any size, 255 where the subject is.
    """
    if subject is None:
        return View(picture)
    height, width = picture.shape
    mask = np.asarray(scaled(subject, (width, height)) >= _SUBJECT_FROM, np.uint8)
    side = 2 * _MARGIN + 1
    return View(picture, cv2.dilate(mask, np.ones((side, side), np.uint8)) == 0)
