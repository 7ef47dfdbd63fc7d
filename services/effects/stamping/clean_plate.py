"""The scene of a shot without its subject: what a subject that moves slowly is told from, as a whole.

The frame before and after tell what has changed since, of a slow subject its edges only. What a place shows in most of the views of it, as
far apart in time as the shot is long, is the scene; what differs from that is the subject, inside and all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import cv2
import numpy as np

from services.effects.scene.moments import Moment, Scene, Witness, small_size, witness_of
from services.effects.scene.motion_mask import Mask, Small, differing, regions_with, solid
from shared.motion.camera import Pose, overlap

_VIEWS = 32
"""Most views of a shot that are kept; beyond, every second one is let go of."""
_ASKED = 11
"""Most views that a plate is made of; an odd number has a middle."""
_LEAST, _AGREEING = 3, 0.6
"""Views of a place, and the part of them that has to agree, for it to be known."""
_OVERLAP = 0.5
_MARGIN = 1 / 8
"""How far a plate reaches beyond its frame, as a part of the frame: how far the camera may move on before another is made."""
_MOST = 0.5
"""Largest part of the picture that is taken for the subject: more has another cause, such as another light."""


def backdrop_bytes(width: int, height: int) -> int:
    """Bytes that a shot's views take, and a plate while it is made of some of them; `width` x `height` is that of the clip."""
    across, down = small_size(width, height)
    return int(3 * across * down * (_VIEWS + 3 * _ASKED * (1 + 2 * _MARGIN) ** 2))


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """The scene as seen around `pose`, reaching beyond the frame: Y, U, V as uint8 (height, width, 3), or gray (height, width). `known`:
    255 where that is sure.
    """

    pose: Pose
    scene: Small
    known: Mask


class Backdrop:
    """The views of one shot, and the scene that they show where the camera looks."""

    def __init__(self, views: Sequence[Witness], scene: Scene, *, threshold: int) -> None:
        self._views, self._between, self._size, self._threshold = views, scene.between_small, scene.size, threshold
        self._margin = round(scene.size[0] * _MARGIN), round(scene.size[1] * _MARGIN)
        self._plate: Plate | None = None

    def plate(self, pose: Pose) -> Plate:
        """A plate that holds all that the camera sees in a pose."""
        if self._plate is None or not self._holds(self._plate, pose):
            self._plate = self._made(pose)
        return self._plate

    def subject(self, moment: Moment, plate: Plate) -> Mask:
        """The mask of a moment by its scene: what differs from it and belongs to what was found to move; where it is not known, that."""
        assert moment.small is not None
        assert moment.mask is not None
        across, down = self._margin
        matrix = self._between(plate.pose, moment.pose) @ np.array([[1, 0, -across], [0, 1, -down], [0, 0, 1.0]])
        other, told = differing(moment.small, [(plate.scene, matrix, plate.known)], threshold=self._threshold)
        mask = np.where(told, other, moment.mask)
        found = regions_with(mask > 127, moment.mask > 127)
        if not found.any() or found.mean() > _MOST:
            return moment.mask
        # With the faint rim around it.
        near = cv2.dilate(found.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        return solid(np.where(near, mask, 0).astype(np.uint8))

    def _holds(self, plate: Plate, pose: Pose) -> bool:
        width, height = self._size
        corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
        off = np.abs(cv2.perspectiveTransform(corners, self._between(pose, plate.pose)) - corners)[0].max(axis=0)
        return bool((off <= self._margin).all())

    def _made(self, pose: Pose) -> Plate:
        near = [one for one in self._views if overlap(self._between(one.pose, pose), self._size) >= _OVERLAP]
        asked = [near[round(at)] for at in np.linspace(0, len(near) - 1, min(_ASKED, len(near)))]
        (width, height), (across, down) = self._size, self._margin
        size = width + 2 * across, height + 2 * down
        views, looked, low = [], [], np.zeros(size[::-1], np.bool_)
        for one in asked:
            matrix = np.array([[1, 0, across], [0, 1, down], [0, 0, 1.0]]) @ self._between(one.pose, pose)
            view = cv2.warpPerspective(one.small, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            seen = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
            # What a view does not show is black and white in turn, and so leaves the middle of the others where it is.
            view[~seen & low], view[~seen & ~low] = 0, 255
            low ^= ~seen
            views.append(view)
            looked.append(seen)
        if len(views) < _LEAST:
            nothing = np.zeros((*size[::-1], self._views[0].small.shape[2]), np.uint8)
            return Plate(pose, nothing, np.zeros(size[::-1], np.uint8))
        scene = _middle(views)
        agreeing = np.zeros(size[::-1], np.uint8)
        for view, seen in zip(views, looked, strict=True):
            agreeing += (reduce(cv2.max, cv2.split(cv2.absdiff(view, scene))) <= self._threshold) & seen
        count = np.sum(looked, axis=0, dtype=np.uint8)
        known = (count >= _LEAST) & (agreeing >= count * _AGREEING)
        return Plate(pose, scene, np.where(known, 255, 0).astype(np.uint8))


def backdrops(moments: Iterable[Moment], scene: Scene, *, threshold: int) -> Iterator[Backdrop]:
    """One for each shot of a scene, in order. Reads to the end of a shot before it hands its backdrop out; holds `_VIEWS` small planes."""
    views: list[Witness] = []
    every, first = 1, 0
    for moment in moments:
        if views and views[0].shot != moment.shot:
            yield Backdrop(views, scene, threshold=threshold)
            views, every = [], 1
        if not views:
            first = moment.index
        if (moment.index - first) % every == 0:
            views.append(witness_of(moment))
            if len(views) > _VIEWS:
                views, every = views[::2], every * 2
    if views:
        yield Backdrop(views, scene, threshold=threshold)


def _middle(planes: Sequence[Small]) -> Small:
    """The median of planes of one shape, value by value: sorted as far as the middle by exchanges, of all values at a time."""
    ordered: list[Any] = list(planes)
    for last in range(len(ordered) - 1, len(ordered) // 2 - 1, -1):
        for at in range(last):
            low, high = ordered[at], ordered[at + 1]
            ordered[at], ordered[at + 1] = cv2.min(low, high), cv2.max(low, high)
    return ordered[len(ordered) // 2]
