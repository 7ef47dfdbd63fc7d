"""A drawn scene of planes and boxes with exact depth.

The view of a moved camera is known for every pixel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Plane:
    """A plane in the scene, with its inverse depth.

    Its inverse depth is a * x + b * y + c within left <= x < right, top <= y < bottom of the reference picture.
    """

    a: float
    b: float
    c: float
    left: float
    top: float
    right: float
    bottom: float


class Scene:
    """A drawn room with three boxes, seen in `width` x `height` pixels.

    The room has a back wall and a floor.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        far, horizon = 0.12, height * 0.62
        slope = (0.85 - far) / (height - horizon)
        beyond = float(width)
        self.planes = (
            Plane(0, 0, far, -beyond, -beyond, 2 * beyond, horizon),
            Plane(0, slope, far - slope * horizon, -beyond, horizon, 2 * beyond, 2 * beyond),
            Plane(0, 0, 1.0, width * 0.12, height * 0.35, width * 0.24, height * 2),
            Plane(0, 0, 0.5, width * 0.45, height * 0.3, width * 0.6, height * 0.81),
            Plane(0, 0, 0.32, width * 0.72, height * 0.2, width * 0.82, height * 0.725),
        )

    def inverse(self) -> Floats:
        """Return the inverse depth of the reference picture."""
        return self.origins((0.0, 0.0))[0]

    def origins(self, move: tuple[float, float]) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
        """Find depth, place and plane of each pixel in a view moved by `move`.

        Returns inverse depth, x and y in the reference picture (the view that is not moved), and the number of the plane.
        """
        y, x = np.mgrid[0 : self.height, 0 : self.width].astype(np.float64)
        best, number = np.full(x.shape, -1.0), np.full(x.shape, -1)
        at_x, at_y = x.copy(), y.copy()
        for index, plane in enumerate(self.planes):
            depth = (plane.a * x + plane.b * y + plane.c) / (1 - plane.a * move[0] - plane.b * move[1])
            from_x, from_y = x + move[0] * depth, y + move[1] * depth
            inside = (from_x >= plane.left) & (from_x < plane.right) & (from_y >= plane.top) & (from_y < plane.bottom) & (depth > best)
            best, number = np.where(inside, depth, best), np.where(inside, index, number)
            at_x, at_y = np.where(inside, from_x, at_x), np.where(inside, from_y, at_y)
        return best.astype(np.float32), at_x.astype(np.float32), at_y.astype(np.float32), number

    def shown(self, move: tuple[float, float]) -> NDArray[np.bool_]:
        """Return the mask of a moved view's pixels that the reference picture shows."""
        _, x, y, number = self.origins(move)
        column, row = np.rint(x).astype(int), np.rint(y).astype(int)
        inside = (column >= 0) & (column < self.width) & (row >= 0) & (row < self.height)
        first = self.origins((0.0, 0.0))[3]
        return np.asarray(inside & (first[np.clip(row, 0, self.height - 1), np.clip(column, 0, self.width - 1)] == number))
