"""Alignment of a clean plate with each frame of a clip."""

import cv2
import numpy as np

from services.background.clip.planes import Plane, Planes
from services.background.registration.alignment import Anchor
from shared.motion.camera import Matrix, scale_matrix

_REDUCED = 2
_STILL_PX = 0.15


class AlignedPlate:
    """A clean plate that is warped so that it follows the camera.

    `planes`: Y, U, V of the plate in the frames' size, uint8. `lost`: number of frames that could not be aligned.
    """

    def __init__(self, planes: Planes) -> None:
        self._planes = planes
        luma = _reduced(planes[0])
        self._anchor = Anchor(luma, np.full(luma.shape, 255, np.uint8))
        self._matrix: Matrix = np.eye(3)
        self.lost = 0

    def at(self, luma: Plane, alpha: Plane) -> Planes:
        """Align the plate with the next frame, given by its `luma` and `alpha`.

        A frame that cannot be aligned gets the view of the previous frame. `luma`, `alpha`: uint8 (height, width) of the frame.
        """
        small = _reduced(luma)
        background = np.where(cv2.dilate(_reduced(alpha), np.ones((5, 5), np.uint8)) > 2, 0, 255).astype(np.uint8)
        alignment = self._anchor.align(small, background, self._matrix)
        if alignment is None:
            self.lost += 1
        else:
            self._matrix = alignment.matrix
        corners = np.array([[[0, 0], [small.shape[1], 0], [small.shape[1], small.shape[0]], [0, small.shape[0]]]], np.float64)
        if np.abs(cv2.perspectiveTransform(corners, self._matrix) - corners).max() < _STILL_PX:
            return self._planes
        back = np.asarray(np.linalg.inv(scale_matrix(self._matrix, _REDUCED, _REDUCED)), np.float64)
        half = scale_matrix(back, 0.5, 0.5)
        moved = [
            cv2.warpPerspective(plane, matrix, plane.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for plane, matrix in zip(self._planes, (back, half, half), strict=True)
        ]
        return np.asarray(moved[0], np.uint8), np.asarray(moved[1], np.uint8), np.asarray(moved[2], np.uint8)


def _reduced(plane: Plane) -> Plane:
    size = max(plane.shape[1] // _REDUCED, 1), max(plane.shape[0] // _REDUCED, 1)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
