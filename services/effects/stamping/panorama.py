"""Panorama: all that the camera saw in a shot, with stamps on it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.moments import MaskedFrame
from services.effects.stamping.stamps import Stamp
from shared.motion.camera import Matrix, Pose

_NOTHING, _SUBJECT, _SCENE = 0, 1, 2
"""Content of the canvas at a pixel. When a frame is painted, higher values replace lower ones."""
MAX_PIXELS = 100_000_000
"""Maximum number of pixels of the picture, whatever `growth` allows."""


class Panorama:
    """Canvas that grows along the camera's path through a shot.

    The canvas has the pixel grid of the shot's first frame, and grows up to `growth` times the frame's width and height. `clipped`: whether
    the camera saw parts that lie beyond the largest canvas.
    """

    def __init__(self, width: int, height: int, *, growth: float) -> None:
        self._frame = width, height
        self._limits = max(int(width * growth), width), max(int(height * growth), height)
        self._left, self._top = 0, 0
        self._picture: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)
        self._content: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
        self._last: Matrix | None = None
        self.clipped = False

    def has_moved(self, pose: Pose) -> bool:
        """Return whether the camera has moved since the last `paint`.

        Movements below a twentieth of the frame's smaller side do not count.
        """
        if self._last is None:
            return True
        off = cv2.perspectiveTransform(_corners(*self._frame), np.linalg.solve(self._last, pose.matrix)) - _corners(*self._frame)
        return bool(np.abs(off).max() > 0.05 * min(self._frame))

    def paint(self, frame: MaskedFrame) -> None:
        """Paint the parts of a frame that the canvas does not show yet.

        The scene covers empty parts and the subject; the subject covers only empty parts.
        """
        self._last = frame.pose.matrix
        self._grow(frame.pose)
        matrix = self._placed(frame.pose.matrix)
        rows, columns = self._window(matrix)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        matrix = _moved(-columns.start, -rows.start) @ matrix
        size = columns.stop - columns.start, rows.stop - rows.start
        mask = cv2.dilate(cv2.resize(frame.mask, self._frame, interpolation=cv2.INTER_LINEAR), np.ones((5, 5), np.uint8), iterations=2)
        kind = np.where(mask > 32, _SUBJECT, _SCENE).astype(np.uint8)
        kind = np.asarray(cv2.warpPerspective(kind, matrix, size, flags=cv2.INTER_NEAREST, borderValue=_NOTHING), np.uint8)
        content = self._content[rows, columns]
        better = kind > content
        if better.any():
            moved = cv2.warpPerspective(frame.frame.rgb(), matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            self._picture[rows, columns][better] = moved[better]
            content[better] = kind[better]

    def finished(self, stamps: list[tuple[Stamp, NDArray[np.uint8]]], *, opacity: float) -> NDArray[np.uint8]:
        """Draw the stamps on the canvas and return the picture.

        `stamps`: each with its piece in RGB. The picture is cropped to the parts that the camera saw. Returns R, G, B as uint8 (height,
        width, 3), or R, G, B, A (height, width, 4) if the camera did not see all of it.
        """
        for stamp, piece in stamps:
            matrix = self._placed(stamp.pose.matrix)
            opacities = stamp.mask.astype(np.float32) * np.float32(opacity / 255)
            weights = cv2.resize(opacities, self._frame, interpolation=cv2.INTER_LINEAR)
            rows, columns = self._window(matrix)
            if rows.start >= rows.stop or columns.start >= columns.stop:
                continue
            matrix = _moved(-columns.start, -rows.start) @ matrix
            size = columns.stop - columns.start, rows.stop - rows.start
            share = cv2.warpPerspective(weights, matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
            placed = matrix @ _moved(*stamp.corner)
            moved = cv2.warpPerspective(piece, placed, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            view = self._picture[rows, columns]
            view[...] = np.rint(view + (moved.astype(np.float32) - view) * share).astype(np.uint8)
        covered = self._content > _NOTHING
        if covered.all():
            return self._picture
        covered_rows, covered_columns = (np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0))
        inside = slice(covered_rows[0], covered_rows[-1] + 1), slice(covered_columns[0], covered_columns[-1] + 1)
        return np.dstack([self._picture[inside], covered[inside].astype(np.uint8) * 255])

    def _placed(self, matrix: Matrix) -> Matrix:
        """Return the matrix to the canvas, given the matrix to the first frame."""
        return np.asarray(_moved(-self._left, -self._top) @ matrix, np.float64)

    def _window(self, matrix: Matrix) -> tuple[slice, slice]:
        """Return the canvas rows and columns that a frame moved by `matrix` covers."""
        points = cv2.perspectiveTransform(_corners(*self._frame), matrix)[0]
        height, width = self._content.shape
        (x0, y0), (x1, y1) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0)) + 1
        rows = slice(int(np.clip(y0, 0, height)), int(np.clip(y1, 0, height)))
        return rows, slice(int(np.clip(x0, 0, width)), int(np.clip(x1, 0, width)))

    def _grow(self, pose: Pose) -> None:
        """Enlarge the canvas to contain a frame with the pose `pose`.

        The canvas grows only up to its limits; beyond them `clipped` is set.
        """
        points = cv2.perspectiveTransform(_corners(*self._frame), pose.matrix)[0]
        height, width = self._content.shape
        left, wide = self._extent(self._left, width, points[:, 0], self._limits[0])
        top, high = self._extent(self._top, height, points[:, 1], self._limits[1])
        if wide * high > MAX_PIXELS:
            self.clipped = True
            return
        if (left, top, wide, high) == (self._left, self._top, width, height):
            return
        at = slice(self._top - top, self._top - top + height), slice(self._left - left, self._left - left + width)
        picture, content = np.zeros((high, wide, 3), np.uint8), np.zeros((high, wide), np.uint8)
        picture[at], content[at] = self._picture, self._content
        self._picture, self._content, self._left, self._top = picture, content, left, top

    def _extent(self, start: int, length: int, points: NDArray[np.float64], limit: int) -> tuple[int, int]:
        """Extend one axis of the canvas to include `points`.

        `start`, `length`: the current extent. Returns the new start and length, at most `limit`.
        """
        # Half a pixel of tolerance, so that a camera that hardly moves adds no row.
        low, high = math.floor(max(points.min(), -1e6) + 0.5), math.ceil(min(points.max(), 1e6) - 0.5) + 1
        before, after = max(start - low, 0), max(high - start - length, 0)
        room = limit - length
        if before + after > room:
            self.clipped = True
        before = min(before, room)
        return start - before, length + before + min(after, room - before)


def _corners(width: int, height: int) -> NDArray[np.float64]:
    return np.array([[[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]], np.float64)


def _moved(across: float, down: float) -> Matrix:
    return np.array([[1, 0, across], [0, 1, down], [0, 0, 1]], np.float64)
