"""Alignment of frames by tracked corners of the background."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.motion.camera import Matrix, overlap

Luma = NDArray[np.uint8]
Points = NDArray[np.float32]

_MAX_CORNERS = 1200
_MIN_TRACKED, _MIN_INLIERS = 24, 0.35  # minimum number of tracked corners, and minimum share of them that one homography explains
_INLIER_PX = 1.0  # largest deviation from a homography, in pixels, of a corner that it explains
_TRIM_PX = (1.8, 1.2, 0.9)
"""Largest deviation, in pixels, of the points used in each successive least-squares fit."""
_SAME_LIGHT = 0.02  # largest difference of brightness, as a share, that is not corrected
_MEASUREMENTS = 2  # number of times that a frame is warped and measured
_COARSE = 8
"""Distance in pixels between the places at which brightness is compared."""
_RETURN_PX = 0.7
"""Largest forward-backward tracking error of a corner, in pixels. It is how far a corner lies from itself after tracking there and back."""
_MIN_SECOND_PLANE = 16  # minimum number of corners off the first plane from which a second plane is measured
_FAR_PX = 2.5
"""Largest deviation from the first plane, in pixels, that may be a measuring error. Corners that deviate more do not belong to that
plane."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Alignment of a frame with an anchor.

    `matrix` (3, 3) maps the frame's pixels to the anchor's. `second_plane`: share of the tracked corners, 0 to 1, that follow the motion
    of another plane instead of `matrix` (parallax).
    """

    matrix: Matrix
    second_plane: float


class Anchor:
    """A frame to which other frames are aligned.

    `luma`: uint8 (height, width); `background`: uint8, 255 where the matte shows no subject.
    """

    def __init__(self, luma: Luma, background: Luma) -> None:
        self.luma, self.background = luma, background
        distance = max(min(luma.shape) / 90, 5)
        # The tracking window must not reach into the subject.
        inside = cv2.erode(background, np.ones((9, 9), np.uint8))
        corners = cv2.goodFeaturesToTrack(luma, _MAX_CORNERS, 0.0005, distance, mask=inside, blockSize=5)
        self._corners: Points = np.zeros((0, 1, 2), np.float32) if corners is None else np.asarray(corners, np.float32)

    def overlap(self, matrix: Matrix) -> float:
        """Return the fraction of the anchor that a frame placed by `matrix` covers.

        `matrix` (3, 3) maps the frame's pixels to the anchor's.
        """
        height, width = self.luma.shape
        return overlap(np.asarray(np.linalg.inv(matrix), np.float64), (width, height))

    def align(self, luma: Luma, background: Luma, guess: Matrix) -> Alignment | None:
        """Align a frame with this anchor, starting from the homography `guess`.

        Returns None if too little of the background can be tracked. The frame is warped by the guess, because tracking is less exact in
        rotated or scaled windows. Corners (Shi and Tomasi, 1994) are tracked forth and back by the pyramidal method of Lucas and Kanade
        (Bouguet, 2000), and a homography is fitted by MAGSAC++ (Barath et al., 2020). The frame is then warped by the homography and
        measured again.
        """
        if not len(self._corners):
            return None
        matrix, second_plane = guess, None
        for _ in range(_MEASUREMENTS):
            fit = self._fit(*self._warped(luma, background, matrix))
            if fit is None:
                break
            matrix = fit.matrix @ matrix
            second_plane = fit.second_plane
        return None if second_plane is None else Alignment(np.asarray(matrix / matrix[2, 2], np.float64), second_plane)

    def _warped(self, luma: Luma, background: Luma, matrix: Matrix) -> tuple[Luma, Luma]:
        """Warp a frame to the anchor, and match its brightness.

        Tracking compares levels, so frame and anchor should be equally bright. Brightness is compared only where both show the background:
        parts that a pan hides or reveals may be darker or brighter.
        """
        size = self.luma.shape[1], self.luma.shape[0]
        moved = np.asarray(cv2.warpPerspective(luma, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)
        on_anchor = np.asarray(cv2.warpPerspective(background, matrix, size, flags=cv2.INTER_NEAREST), np.uint8)
        common = (on_anchor[::_COARSE, ::_COARSE] == 255) & (self.background[::_COARSE, ::_COARSE] == 255)
        if not common.any():
            return moved, on_anchor
        level, target = (float(np.median(plane[::_COARSE, ::_COARSE][common])) for plane in (moved, self.luma))
        gain = target / max(level, 1.0)
        if _SAME_LIGHT < abs(gain - 1) < 1:
            moved = np.asarray(cv2.convertScaleAbs(moved, alpha=gain), np.uint8)
        return moved, on_anchor

    def _fit(self, luma: Luma, background: Luma) -> Alignment | None:
        """Track the anchor's corners on a warped frame and fit a homography."""
        tracked = self._tracked(luma, background)
        if tracked is None:
            return None
        places, targets = tracked
        matrix, inliers = cv2.findHomography(targets, places, cv2.USAC_MAGSAC, _INLIER_PX, maxIters=2000, confidence=0.9995)
        if matrix is None or inliers.sum() < max(_MIN_TRACKED / 2, _MIN_INLIERS * len(places)):
            return None
        inlier, fitted = inliers.ravel() == 1, _refined(np.asarray(matrix, np.float64), targets, places)
        return Alignment(fitted, _second_plane(targets[~inlier], places[~inlier], fitted, len(places)))

    def _tracked(self, luma: Luma, background: Luma) -> tuple[Points, Points] | None:
        """Return matching points on the anchor and on the warped frame, (n, 2) each."""
        columns, rows = np.rint(self._corners.reshape(-1, 2)).astype(np.intp).T
        corners = self._corners[background[rows, columns] == 255]
        if len(corners) < _MIN_TRACKED:
            return None
        window: dict[str, Any] = {"winSize": (21, 21), "maxLevel": 2, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 0.005)
        places, status, _ = cv2.calcOpticalFlowPyrLK(self.luma, luma, corners, corners.copy(), criteria=criteria, **window)
        back, status_back, _ = cv2.calcOpticalFlowPyrLK(luma, self.luma, places, corners.copy(), criteria=criteria, **window)
        good = (status.ravel() == 1) & (status_back.ravel() == 1)
        good &= np.linalg.norm((back - corners).reshape(-1, 2), axis=1) < _RETURN_PX
        points = places.reshape(-1, 2)
        columns = np.clip(np.rint(points[:, 0]), 0, luma.shape[1] - 1).astype(np.intp)
        rows = np.clip(np.rint(points[:, 1]), 0, luma.shape[0] - 1).astype(np.intp)
        good &= background[rows, columns] == 255
        if good.sum() < _MIN_TRACKED:
            return None
        return corners.reshape(-1, 2)[good], points[good]


def _refined(matrix: Matrix, source: Points, target: Points) -> Matrix:
    """Refine a homography by repeated least squares on closer points.

    MAGSAC's own last step keeps points with a deviation of up to a pixel; the trimmed fit is 1.3 times as exact at the median.
    """
    for deviation in _TRIM_PX:
        moved = cv2.perspectiveTransform(source[None].astype(np.float64), matrix)[0]
        near = np.linalg.norm(moved - target, axis=1) < deviation
        if near.sum() < _MIN_TRACKED:
            break
        closer, _ = cv2.findHomography(source[near], target[near], 0)
        if closer is None:
            break
        matrix = np.asarray(closer, np.float64)
    return np.asarray(matrix / matrix[2, 2], np.float64)


def _second_plane(source: Points, target: Points, matrix: Matrix, tracked: int) -> float:
    """Return the share of all tracked points that a second homography explains.

    `source`, `target`: points that do not follow `matrix`. `tracked`: number of all tracked points.
    """
    if len(source) < _MIN_SECOND_PLANE:
        return 0.0
    moved = cv2.perspectiveTransform(source[None], matrix)[0]
    far = np.linalg.norm(moved - target, axis=1) > _FAR_PX
    if far.sum() < _MIN_SECOND_PLANE:
        return 0.0
    _, inliers = cv2.findHomography(source[far], target[far], cv2.USAC_MAGSAC, _INLIER_PX, maxIters=1000)
    count = 0 if inliers is None else int(inliers.sum())
    return count / tracked if count >= _MIN_SECOND_PLANE / 2 else 0.0
