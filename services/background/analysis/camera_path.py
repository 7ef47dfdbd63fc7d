"""Camera path: each frame's position relative to its shot's reference frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.motion.camera import Matrix, Pose

MIN_MARGIN, MAX_MARGIN = 1.3, 2.5  # limits of a background's size that is chosen from the path, in multiples of a frame
_SPARE = 1.02
"""Factor by which a background exceeds the size that the camera path needs. It is a reserve for rounding and interpolation."""
_HALVINGS = 24  # number of bisections in the search for the share of the camera's motion to follow


@dataclass(frozen=True, slots=True, eq=False)
class CameraPath:
    """Each frame's position relative to its shot's reference frame.

    `views`: float64 (frames, 4): shift of the frame's centre right and down in pixels, rotation in radians, and logarithm of the scale
    (above 0: the frame covers more of the scene). `width`, `height`: size of the frames.
    """

    views: NDArray[np.float64]
    width: int
    height: int

    @property
    def largest(self) -> float:
        """Largest shift of any frame's centre from its reference frame's centre, in pixels."""
        return float(np.hypot(self.views[:, 0], self.views[:, 1]).max(initial=0.0))

    def scaled(self, share: float) -> "CameraPath":
        """Return the path with every motion multiplied by `share`."""
        return CameraPath(self.views * share, self.width, self.height)

    def resized(self, width: int, height: int) -> "CameraPath":
        """Scale the path to frames of `width` x `height`, of equal aspect ratio."""
        factors = np.array([width / self.width, height / self.height, 1, 1])
        return CameraPath(self.views * factors, width, height)

    def matrix(self, number: int) -> Matrix:
        """Return the matrix from pixels of frame `number` to pixels of its reference frame.

        The matrix is (3, 3). A `number` beyond the last frame gives the matrix of the last frame.
        """
        across, down, angle, scale = self.views[min(number, len(self.views) - 1)]
        x, y = (self.width - 1) / 2, (self.height - 1) / 2
        cos, sin = np.exp(scale) * np.cos(angle), np.exp(scale) * np.sin(angle)
        return np.array([[cos, -sin, x + across - cos * x + sin * y], [sin, cos, y + down - sin * x - cos * y], [0, 0, 1.0]])

    def move(self, number: int) -> tuple[float, float]:
        """Return the shift of frame `number` from its reference, right and down, in pixels."""
        across, down = self.views[min(number, len(self.views) - 1), :2]
        return float(across), float(down)

    def margin(self, parallax: float) -> float:
        """Return the smallest background size, in frame sizes, that covers all frames.

        `parallax`: motion of the nearest or farthest surface relative to the picture, in pixels per
        pixel of the path.
        """
        if not len(self.views):
            return 1.0
        across, down, angle, scale = self.views.T
        wide, high = self.width / 2, self.height / 2
        cos, sin = np.abs(np.exp(scale) * np.cos(angle)), np.abs(np.exp(scale) * np.sin(angle))
        x = np.abs(across) * (1 + parallax) + cos * wide + sin * high
        y = np.abs(down) * (1 + parallax) + sin * wide + cos * high
        return float(max((x / wide).max(), (y / high).max()))


@dataclass(frozen=True, slots=True)
class Overscan:
    """Size of a background, and the share of the camera's motion that it allows.

    `margin`: size relative to a frame. `share`: part of the camera's motion that the background can follow, up to 1.
    """

    margin: float
    share: float


def overscan(path: CameraPath, margin: float, parallax: float) -> Overscan:
    """Choose a background's size and the share of the camera's motion to follow.

    `margin`: size of the background in multiples of a frame; 0 chooses it from the path, from 1.3 to 2.5. `parallax`: see
    `CameraPath.margin`.
    """
    bare = path.margin(parallax)
    size = margin or min(max(bare * _SPARE, MIN_MARGIN), MAX_MARGIN)
    # If a small margin is given, half of it stays in reserve. Motion of up to half a pixel is invisible and needs no margin.
    spare = min(_SPARE, 1 + (size - 1) / 2)
    if bare * spare <= size or bare <= 1 + 1 / max(path.width, path.height):
        return Overscan(size, 1.0)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if path.scaled(middle).margin(parallax) * spare <= size else (low, middle)
    return Overscan(size, low)


def shot_starts(poses: Sequence[Pose]) -> list[int]:
    """Return the index of each shot's first frame."""
    return [number for number, pose in enumerate(poses) if pose.cut or number == 0]


def camera_path(poses: Sequence[Pose], width: int, height: int) -> tuple[CameraPath, int]:
    """Return the camera path, and the number of the longest shot's reference frame.

    `poses`: one similarity per frame, in pixels of `width` x `height`. The reference of a shot is the frame whose centre is closest to the
    middle of the area that the frame centres cover.
    """
    centre = np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
    starts = shot_starts(poses)
    views = np.zeros((len(poses), 4))
    longest, reference = 0, 0
    for start, end in zip(starts, [*starts, len(poses)][1:], strict=True):
        places = np.array([(pose.matrix @ centre)[:2] for pose in poses[start:end]])
        middle = (places.min(axis=0) + places.max(axis=0)) / 2
        own = start + int(np.argmin(((places - middle) ** 2).sum(axis=1)))
        if end - start > longest:
            longest, reference = end - start, own
        back = np.linalg.inv(poses[own].matrix)
        for number in range(start, end):
            views[number] = _view(np.asarray(back @ poses[number].matrix, np.float64), centre)
    return CameraPath(views, width, height), reference


def _view(matrix: Matrix, centre: NDArray[np.float64]) -> tuple[float, float, float, float]:
    moved = matrix @ centre - centre
    scale = np.log(max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-3))
    return float(moved[0]), float(moved[1]), float(np.arctan2(matrix[1, 0], matrix[0, 0])), float(scale)
