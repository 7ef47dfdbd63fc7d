"""Camera motion through a clip, measured frame by frame.

Translation comes from phase correlation (`phase_correlation.py`), similarity and homography from features: corners of Shi and Tomasi
(1994), followed by the pyramidal method of Lucas and Kanade (Bouguet, 2000), fitted with RANSAC (Fischler and Bolles, 1981). Each frame is
measured against an anchor frame of its shot, not against the previous frame, so that errors do not add up. A new anchor is taken when a
third of the picture has left the old one.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.motion.overlay import only_overlay_changed
from shared.motion.phase_correlation import PhaseCorrelation
from shared.motion.view import Gray, Mask, View, thumbnail, view_of

Matrix = NDArray[np.float64]
Model = Literal["none", "translation", "similarity", "homography"]

_LONGEST_SIDE = 480
_OVERLAP = 0.67
"""Minimum share of the picture that a frame has in common with its anchor.

The anchor is the earlier frame against which motion is measured. A frame with less in common becomes the new anchor.
"""
_LEAST_POINTS, _LEAST_INLIERS = 12, 0.45
"""Minimum number of tracked corners, and minimum share of them that follows one motion."""
_SAME_PICTURE, _OTHER_PICTURE = 0.45, 0.1
"""Correlation above which two thumbnails show the same shot, and below which different shots. In between, `is_cut` compares more."""
_OTHER_BRIGHTNESS = 0.25
"""Minimum difference, 0 to 1, between the brightness histograms of different shots."""


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Position of a frame relative to the first frame of its shot.

    `matrix` (3, 3) maps the frame's pixels to pixels of the first frame; `cut`: a new shot begins; `sure`: the motion was measured.
    """

    matrix: Matrix
    cut: bool = False
    sure: bool = True


class Posed(Protocol):
    """A frame whose position in its shot is known.

    `matrix` (3, 3) maps its pixels to pixels of the first frame of its shot.
    """

    @property
    def matrix(self) -> Matrix: ...


def matrix_between(source: Posed, target: Posed) -> Matrix:
    """Return the (3, 3) matrix that maps `source` pixels to `target` pixels.

    Both frames must be in one shot.
    """
    before, after = pure_shift(source.matrix), pure_shift(target.matrix)
    if before is not None and after is not None:
        return shift_matrix(before[0] - after[0], before[1] - after[1])
    moved = np.linalg.solve(target.matrix, source.matrix)
    return np.asarray(moved / moved[2, 2], np.float64)


def scale_matrix(matrix: Matrix, across: float, down: float) -> Matrix:
    """Adapt a motion matrix to pictures of another size.

    The pictures are `across` times as wide and `down` times as high. Pixel centres stay pixel centres.
    """
    shift = pure_shift(matrix)
    if shift is not None:
        return shift_matrix(across * shift[0], down * shift[1])
    enlargement = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    return np.asarray(enlargement @ matrix @ np.linalg.inv(enlargement), np.float64)


def pure_shift(matrix: Matrix) -> tuple[float, float] | None:
    """Return the shift (right, down) of a matrix (3, 3) that only shifts.

    None if it does more. Most cameras are followed by shifts, and computing with two numbers takes a fraction of the time of matrices.
    """
    xx, xy, right, yx, yy, down, zx, zy, zz = matrix.ravel().tolist()
    return (right, down) if xx == yy == zz == 1 and xy == yx == zx == zy == 0 else None


def shift_matrix(right: float, down: float) -> Matrix:
    """Return the matrix (3, 3) that shifts pixels."""
    return np.array([[1, 0, right], [0, 1, down], [0, 0, 1]], np.float64)


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Return the (width, height) at which motion is measured.

    The longest side is at most 480 pixels, and no side is below 8.
    """
    factor = min(_LONGEST_SIDE / max(width, height), 1)
    return max(round(width * factor), 8), max(round(height * factor), 8)


class Method(Protocol):
    """A method that measures the motion between two views.

    It starts from a guess, and returns None if the views do not show the motion.
    """

    def __call__(self, before: View, after: View, guess: Matrix, /) -> Matrix | None: ...


def _identity() -> Matrix:
    return np.eye(3)


class Camera:
    """A tracker of the camera's motion from frame to frame.

    Frames are given as luma in `size`: the `analysis_size` of the clip, or of `within` (width, height) if given. For `within`, coarser
    poses are enough. With a mask of the subject, only the background is followed. Without a mask, the motion of most of the picture counts
    as the camera's.
    """

    def __init__(self, model: Model, width: int, height: int, *, within: tuple[int, int] | None = None) -> None:
        self.size = analysis_size(*(within or (width, height)))
        self._factor = width / self.size[0], height / self.size[1]
        translation = Translation(self.size, from_guess=within is not None)
        self._method: Method = still if model == "none" else translation if model == "translation" else Features(model)
        self._shot: _Shot | None = None

    def step(self, small: Gray, subject: Gray | None = None) -> Pose:
        """Measure the motion to the next frame, `small`; return that frame's pose.

        `small`: luma, (h, w) uint8 in `size`. `subject`: a mask of any size, uint8, 255 where the subject is; corners and
        pixels there, and close to it, are left out.
        """
        view, shot = view_of(small, subject), self._shot
        if shot is None:
            self._shot = _Shot(before=view, anchor=view)
            return Pose(np.eye(3), cut=True)
        before = shot.before
        sure = shot.follow(view, self._method, self.size)
        # A guess has no meaning if nothing could be measured.
        moved = shot.moved @ np.linalg.inv(shot.moved_before) if sure else np.eye(3)
        if is_cut(before, view, moved, related=sure):
            self._shot = _Shot(before=view, anchor=view)
            return Pose(np.eye(3), cut=True)
        return Pose(scale_matrix(shot.base @ np.linalg.inv(shot.moved), *self._factor), sure=sure)


@dataclass(slots=True, kw_only=True)
class _Shot:
    """The tracked motion within the current shot.

    `before`: the latest frame. `anchor`: the frame to which motion is measured. `base` maps the anchor to the shot's first frame; `moved`
    and `moved_before` map the anchor to the latest and to the previous frame. `speed`: the latest change of `moved`.
    """

    before: View
    anchor: View
    base: Matrix = field(default_factory=_identity)
    moved: Matrix = field(default_factory=_identity)
    moved_before: Matrix = field(default_factory=_identity)
    speed: Matrix = field(default_factory=_identity)

    def follow(self, view: View, method: Method, size: tuple[int, int]) -> bool:
        """Track the motion to the next frame, `view`.

        Returns whether it was measured.
        """
        self.moved_before = self.moved
        measured = method(self.anchor, view, self.speed @ self.moved)
        if measured is None:
            self._move_anchor()
            measured = method(self.before, view, self.speed)
        sure = measured is not None
        if measured is None:
            # Assume that the motion slows down. Nothing can be measured during a whip pan, which is short, and in dark pictures.
            self.speed = _half(self.speed)
            measured = self.speed @ self.moved
        else:
            self.speed = measured @ np.linalg.inv(self.moved_before)
        self.moved, self.before = measured, view
        if not sure or overlap(measured, size) < _OVERLAP:
            self._anchor_at(view)
        return sure

    def _anchor_at(self, view: View) -> None:
        """Make `view`, the latest frame, the anchor of the next measurements.

        The motion since the previous frame is kept.
        """
        inverse = np.linalg.inv(self.moved)
        self.moved_before = self.moved_before @ inverse
        self.base = self.base @ inverse
        self.anchor, self.moved = view, np.eye(3)

    def _move_anchor(self) -> None:
        """Make the previous frame the anchor of the next measurements."""
        self.base = self.base @ np.linalg.inv(self.moved)
        self.anchor, self.moved, self.moved_before = self.before, np.eye(3), np.eye(3)


def still(_before: View, _after: View, _guess: Matrix) -> Matrix:
    """Return the identity matrix: no motion."""
    return np.eye(3)


class Translation:
    """A motion method that measures a shift by phase correlation."""

    def __init__(self, size: tuple[int, int], *, from_guess: bool = False) -> None:
        self._correlation = PhaseCorrelation(size, from_guess=from_guess)

    def __call__(self, before: View, after: View, guess: Matrix) -> Matrix | None:
        shift = self._correlation(before, after, (float(guess[0, 2]), float(guess[1, 2])))
        return None if shift is None else shift_matrix(*shift)


class Features:
    """A motion method that fits a similarity or homography to tracked corners."""

    def __init__(self, model: Model) -> None:
        self._homography = model == "homography"
        self._corners_of: View | None = None
        self._corners: NDArray[np.float32] | None = None

    def __call__(self, before: View, after: View, guess: Matrix) -> Matrix | None:
        picture = before.picture
        if self._corners_of is not before:
            self._corners_of = before
            allowed = None if before.background is None else before.background.astype(np.uint8)
            corners = cv2.goodFeaturesToTrack(picture, 400, 0.005, max(min(picture.shape) / 40, 3), mask=allowed)
            self._corners = None if corners is None else np.asarray(corners, np.float32)
        if self._corners is None or len(self._corners) < _LEAST_POINTS:
            return None
        expected = cv2.perspectiveTransform(self._corners, guess).astype(np.float32)
        tracked, status, _ = cv2.calcOpticalFlowPyrLK(
            picture, after.picture, self._corners, expected, winSize=(15, 15), maxLevel=3, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
        )
        tracked_well = status.ravel() == 1
        if after.background is not None:
            tracked_well &= _inside(after.background, np.asarray(tracked, np.float32).reshape(-1, 2))
        source, target = self._corners[tracked_well].reshape(-1, 2), tracked[tracked_well].reshape(-1, 2)
        if len(source) < _LEAST_POINTS:
            return None
        cv2.setRNGSeed(0)  # the same clip gives the same result
        if self._homography:
            matrix, inliers = cv2.findHomography(source, target, cv2.RANSAC, 0.8, maxIters=500)
        else:
            affine, inliers = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=0.8, maxIters=500)
            matrix = None if affine is None else np.vstack([affine, [0, 0, 1]])
        if matrix is None or inliers.sum() < max(_LEAST_POINTS, _LEAST_INLIERS * len(source)) or not _plausible(matrix, picture.shape):
            return None
        return np.asarray(matrix / matrix[2, 2], np.float64)


def is_cut(before: View, after: View, moved: Matrix, *, related: bool = True) -> bool:
    """Return whether two views belong to different shots.

    Thumbnails, aligned by `moved`, are compared by correlation, which does not change with exposure or a flash. A large moving subject
    lowers the correlation as well, but keeps the histogram of brightness. So the histograms have to differ, too, unless the motion between
    the pictures could not be measured (`related` false). A caption bar or another overlay that changes is no cut.
    """
    first, second = before.thumbnail, after.thumbnail
    alike = _correlation(first, second)
    if alike >= _SAME_PICTURE:
        return False
    picture = before.picture
    aligned = thumbnail(np.asarray(cv2.warpPerspective(picture, moved, picture.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8))
    alike = max(alike, _correlation(aligned, second))
    if alike >= _SAME_PICTURE:
        return False
    bins = [np.histogram(thumbnail, 16, (0, 256))[0] / thumbnail.size for thumbnail in (first, second)]
    if related and alike >= _OTHER_PICTURE and np.abs(bins[0] - bins[1]).sum() / 2 < _OTHER_BRIGHTNESS:
        return False
    return not (only_overlay_changed(first, second) or only_overlay_changed(aligned, second))


def _inside(mask: Mask, points: NDArray[np.float32]) -> Mask:
    """Return for each point whether it lies within a mask.

    `points`: (n, 2) as x and y; inside are true pixels.
    """
    height, width = mask.shape
    x, y = np.rint(np.clip(points, -1, max(width, height))).astype(int).T
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.asarray(within & mask[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], np.bool_)


def _correlation(a: Matrix, b: Matrix) -> float:
    """Return Pearson's correlation of two pictures.

    1 for two flat pictures, 0 if only one is flat.
    """
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float((a * a).sum() * (b * b).sum()))
    # A deviation below two levels is noise, not structure.
    flat = [float((deviation * deviation).mean()) < 4 for deviation in (a, b)]
    if any(flat):
        return 1.0 if all(flat) else 0.0
    return float((a * b).sum()) / norm


def overlap(moved: Matrix, size: tuple[int, int]) -> float:
    """Return the share of a picture that stays visible after the motion `moved`.

    From 0 to 1. `size`: (width, height) of the picture.
    """
    width, height = size
    corners = cv2.perspectiveTransform(np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64), moved)[0]
    across, down = np.clip(corners[:, 0], 0, width), np.clip(corners[:, 1], 0, height)
    inside = float((across.max() - across.min()) * (down.max() - down.min())) / (width * height)
    # After zooming out, the view shows more than the anchor, so the share is relative to the view.
    return inside / max(cv2.contourArea(corners.astype(np.float32)) / (width * height), 1.0)


def _plausible(matrix: Matrix, shape: tuple[int, ...]) -> bool:
    """Return whether a motion is plausible for a camera.

    Mirroring and zoom above 2x are not.
    """
    height, width = shape
    corners = cv2.perspectiveTransform(np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64), matrix)[0]
    area = cv2.contourArea(corners.astype(np.float32), oriented=True) / (width * height)
    return bool(0.25 < area < 4 and cv2.isContourConvex(corners.astype(np.float32)))


def _half(speed: Matrix) -> Matrix:
    return np.asarray((speed + np.eye(3)) / 2, np.float64)
