"""Clean plate of a shot: its background without the subject.

Comparison with neighbouring frames finds only the edges of a slow subject. Therefore views from all over the shot are compared. At each
place, the picture that most of them show is the scene. The pixels of a frame that differ from the scene make up the whole subject.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import cv2
import numpy as np

from services.effects.scene.moments import MaskedFrame, SceneFrame, View
from services.effects.scene.motion_mask import Mask, Small, cleaned, differing, regions_with
from services.effects.scene.small_planes import small_size
from services.effects.scene.tracker import SceneTracker
from shared.motion.camera import Pose, overlap

_MAX_VIEWS = 32
"""Maximum number of views kept of a shot. If there are more, every second view is dropped."""
_PLATE_VIEWS = 11
"""Maximum number of views from which a plate is computed. The number is odd, so that there is a middle value."""
_MIN_VIEWS, _MIN_AGREEING = 3, 0.6
"""Minimum number of views of a place, and minimum share of agreeing views. With fewer, the scene at this place is unknown."""
_MIN_OVERLAP = 0.5
"""Minimum overlap of a view with the frame whose plate is computed. It is a share of the picture."""
_MARGIN = 1 / 8
"""Extent of a plate beyond its frame on each side, as a share. If the camera moves farther, another plate is computed."""
_MAX_SUBJECT = 0.5
"""Largest area that counts as the subject, as a share of the picture. A larger difference has another cause, such as a change of light."""


def plate_bytes(width: int, height: int) -> int:
    """Estimate the memory of a shot's views and clean plate, in bytes.

    The estimate includes the memory for making the plate. `width`, `height`: size of the clip.
    """
    across, down = small_size(width, height)
    return int(3 * across * down * (_MAX_VIEWS + 3 * _PLATE_VIEWS * (1 + 2 * _MARGIN) ** 2))


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """Clean plate: the scene without the subject, somewhat wider than a frame."""

    pose: Pose
    scene: Small
    """Planes of the scene. They are Y, U, V as uint8 (height, width, 3), or Y alone (height, width)."""
    validity: Mask
    """Mask of the valid pixels: 255 where the views agree, else 0."""


class ShotViews:
    """Sample of a shot's views, from which clean plates are computed."""

    def __init__(self, views: Sequence[View], tracker: SceneTracker, *, threshold: int) -> None:
        self._views, self._matrix, self._size, self._threshold = views, tracker.small_matrix, tracker.size, threshold
        self._margin = round(tracker.size[0] * _MARGIN), round(tracker.size[1] * _MARGIN)
        self._plate: Plate | None = None

    def plate(self, pose: Pose) -> Plate:
        """Return a clean plate for the camera pose `pose`."""
        if self._plate is None or not self._covers(self._plate, pose):
            self._plate = self._make_plate(pose)
        return self._plate

    def subject(self, frame: MaskedFrame, plate: Plate) -> Mask:
        """Extend a frame's motion mask to the whole subject.

        Regions that differ from the plate and touch the mask belong to the subject. Where the plate is unknown, the mask does not change.
        """
        across, down = self._margin
        matrix = self._matrix(plate.pose, frame.pose) @ np.array([[1, 0, -across], [0, 1, -down], [0, 0, 1.0]])
        different, comparable = differing(frame.small, [(plate.scene, matrix, plate.validity)], threshold=self._threshold)
        mask = np.where(comparable, different, frame.mask)
        regions = regions_with(mask > 127, frame.mask > 127)
        if not regions.any() or regions.mean() > _MAX_SUBJECT:
            return frame.mask
        # The faint rims around the regions belong to them.
        near = cv2.dilate(regions.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        return cleaned(np.where(near, mask, 0).astype(np.uint8))

    def _covers(self, plate: Plate, pose: Pose) -> bool:
        width, height = self._size
        corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
        off = np.abs(cv2.perspectiveTransform(corners, self._matrix(pose, plate.pose)) - corners)[0].max(axis=0)
        return bool((off <= self._margin).all())

    def _make_plate(self, pose: Pose) -> Plate:
        near = [view for view in self._views if overlap(self._matrix(view.pose, pose), self._size) >= _MIN_OVERLAP]
        sources = [near[round(at)] for at in np.linspace(0, len(near) - 1, min(_PLATE_VIEWS, len(near)))]
        (width, height), (across, down) = self._size, self._margin
        size = width + 2 * across, height + 2 * down
        views: list[Small] = []
        covered, low = [], np.zeros(size[::-1], np.bool_)
        for view in sources:
            matrix = np.array([[1, 0, across], [0, 1, down], [0, 0, 1.0]]) @ self._matrix(view.pose, pose)
            moved = np.asarray(
                cv2.warpPerspective(view.small, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
            )
            inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
            # Pixels outside a view are set to black and white in turn, so that they do not change the median of the other views.
            moved[~inside & low], moved[~inside & ~low] = 0, 255
            low ^= ~inside
            views.append(moved)
            covered.append(inside)
        if len(views) < _MIN_VIEWS:
            empty = np.zeros((*size[::-1], self._views[0].small.shape[2]), np.uint8)
            return Plate(pose, empty, np.zeros(size[::-1], np.uint8))
        scene = _median(views)
        agreeing = np.zeros(size[::-1], np.uint8)
        for moved, inside in zip(views, covered, strict=True):
            agreeing += (reduce(cv2.max, cv2.split(cv2.absdiff(moved, scene))) <= self._threshold) & inside
        count = np.sum(covered, axis=0, dtype=np.uint8)
        agrees = (count >= _MIN_VIEWS) & (agreeing >= count * _MIN_AGREEING)
        return Plate(pose, scene, np.where(agrees, 255, 0).astype(np.uint8))


def shot_views(frames: Iterable[SceneFrame], tracker: SceneTracker, *, threshold: int) -> Iterator[ShotViews]:
    """Yield a sample of the views of each shot, in order.

    Reads a shot to its end before yielding its views. Holds the small planes of at most 32 frames.
    """
    views: list[View] = []
    step, first = 1, 0
    for frame in frames:
        if views and views[0].shot != frame.shot:
            yield ShotViews(views, tracker, threshold=threshold)
            views, step = [], 1
        if not views:
            first = frame.index
        if (frame.index - first) % step == 0:
            views.append(frame.without_frame())
            if len(views) > _MAX_VIEWS:
                views, step = views[::2], step * 2
    if views:
        yield ShotViews(views, tracker, threshold=threshold)


def _median(planes: Sequence[Small]) -> Small:
    """Compute the median of equally shaped planes at each pixel.

    Whole planes are bubble-sorted, from the highest values down to the middle ones.
    """
    ordered: list[Any] = list(planes)
    for last in range(len(ordered) - 1, len(ordered) // 2 - 1, -1):
        for at in range(last):
            low, high = ordered[at], ordered[at + 1]
            ordered[at], ordered[at + 1] = cv2.min(low, high), cv2.max(low, high)
    return np.asarray(ordered[len(ordered) // 2], np.uint8)
