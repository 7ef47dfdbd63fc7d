"""Moving views of a background larger than the frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.analysis.camera_path import CameraPath
from services.background.clip.backdrop import Backdrop
from services.background.clip.planes import Plane, Planes
from services.background.parallax.torn_surface import TornSurface, read
from shared.motion.camera import Matrix, scale_matrix

Floats = NDArray[np.float32]


class MovingPlate:
    """A background whose views follow a camera path.

    Rotation and zoom follow the path at every depth. Parts at the plate's middle depth move exactly as the path does. The nearest parts
    move farther than the farthest parts, by at most `depth_scale` times the path's motion.
    """

    def __init__(self, rgb: NDArray[np.uint8], inverse: Floats | None, path: CameraPath, *, depth_scale: float, matrix: str) -> None:
        """Prepare views of a picture along a camera path.

        `rgb`: uint8 (height, width, 3), at least as large as a frame; the reference frame lies in its middle. `inverse`: inverse depth from
        0 (far) to 1 (near), float32 (height, width); None means equal depth everywhere. `matrix`: FFmpeg's name of the colour matrix.
        """
        height, width = rgb.shape[:2]
        self._path, self._scale = path, depth_scale if inverse is not None else 0.0
        self._middle = middle_depth(inverse)
        self._corner = np.array([[1, 0, (width - path.width) / 2], [0, 1, (height - path.height) / 2], [0, 0, 1.0]])
        backdrop = Backdrop(width, height, matrix)
        self._planes = backdrop.picture(rgb, "stretch")
        self._surface: TornSurface | None = None
        if inverse is not None and self._scale and path.largest > 0:
            self._surface = TornSurface(inverse, reach=path.largest * self._scale)
            behind = self._surface.behind(rgb)
            self._behind = backdrop.picture(behind, "stretch")

    def at(self, number: int) -> Planes:
        """Return the uint8 Y, U and V planes for frame `number`."""
        base = np.asarray(self._corner @ self._path.matrix(number), np.float64)
        across, down = self._path.move(number)
        move = across * self._scale, down * self._scale
        size = self._path.width, self._path.height
        if self._surface is None or move == (0.0, 0.0):
            return _warped(self._planes, base, size)
        # Subtract the parallax of the middle depth, so that the middle follows the path.
        base[0, 2] -= move[0] * self._middle
        base[1, 2] -= move[1] * self._middle
        view = self._surface.view(move, base, size)
        places = view.full, view.half, view.half
        luma, u, v = (read(place, plane, behind) for place, plane, behind in zip(places, self._planes, self._behind, strict=True))
        return luma, u, v


def middle_depth(inverse: Floats | None) -> float:
    """Return the median inverse depth. Parts at this depth move exactly with the camera."""
    return 0.5 if inverse is None else float(np.median(inverse))


def parallax_reach(inverse: Floats | None, depth_scale: float) -> float:
    """Return the largest parallax per pixel of camera motion.

    Parallax is the motion of the nearest or the farthest part relative to the plate's middle depth, in pixels.
    """
    if inverse is None:
        return 0.0
    middle = middle_depth(inverse)
    return depth_scale * max(middle - float(inverse.min()), float(inverse.max()) - middle)


def _warped(planes: Planes, base: Matrix, size: tuple[int, int]) -> Planes:
    half = (size[0] + 1) // 2, (size[1] + 1) // 2
    small = scale_matrix(base, 0.5, 0.5)
    luma, u, v = (
        _moved(plane, matrix, target) for plane, matrix, target in zip(planes, (base, small, small), (size, half, half), strict=True)
    )
    return luma, u, v


def _moved(plane: Plane, matrix: Matrix, size: tuple[int, int]) -> Plane:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
