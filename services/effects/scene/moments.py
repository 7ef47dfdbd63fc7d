"""A clip as the effects see it: frame by frame with the camera's pose, its shot, and what moves in it."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.motion_mask import Mask, Small, focused, moving
from services.effects.scene.pixels import Planes
from shared.motion.camera import Camera, Model, Pose, matrix_between, scale_matrix
from shared.video import Frame, map_ordered
from shared.video.frames.planes import halve_toward

GHOST_HEIGHT = 270
_MOST_REDUCED = 4
LOOK_S = 0.3
"""How far from a frame the others are that tell what moves in it."""
_MOST_LOOK = 20
_MOST_AT_A_TIME = 6


@dataclass(slots=True, eq=False)
class Moment:
    """One frame and what was found out about it; planes are let go of (None) by whoever knows that they are not needed any more.

    `index` counts the frames of the part that is used, `shot` the shots. `small`: Y, U, V as uint8 (height, width, 3) in `small_size`;
    `mask`: what moves, uint8, in that size (a given matte may be larger); None: not looked for. `faded`: the same, less towards the edges;
    `planes`: what full-size ghosts are made of; `essence`: what soft ones are, in `small_size`.
    """

    index: int
    seconds: Fraction
    shot: int
    pose: Pose
    frame: Frame | None
    small: Small | None
    mask: Mask | None = None
    faded: Mask | None = None
    planes: Planes | None = None
    essence: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """What is kept of a moment to tell what moves in others."""

    index: int
    shot: int
    pose: Pose
    small: Small


def small_size(width: int, height: int) -> tuple[int, int]:
    """Size that masks and soft ghosts are made in: a quarter of 1080 lines, less reduced where there are fewer."""
    factor = min(max(round(height / GHOST_HEIGHT), 1), _MOST_REDUCED)
    return max(round(width / factor), 1), max(round(height / factor), 1)


class Scene:
    """Turns frames of one size into moments, in order."""

    def __init__(self, width: int, height: int, *, model: Model) -> None:
        self.width, self.height = width, height
        self.size = small_size(width, height)
        self._camera = Camera(model, width, height)
        self.cuts: list[float] = []
        self.unsure = 0

    def moments(self, frames: Iterable[Frame], *, look: bool) -> Iterator[Moment]:
        """The moments of `frames`, without masks. `look`: their small planes will be needed."""
        shot = -1
        for index, frame in enumerate(frames):
            luma = reduced(frame.luma(), self.size)
            measured = luma if self.size == self._camera.size else cv2.resize(luma, self._camera.size, interpolation=cv2.INTER_AREA)
            pose = self._camera.step(np.asarray(measured, np.uint8))
            if pose.cut:
                shot += 1
                if index and len(self.cuts) < 10_000:
                    self.cuts.append(float(frame.time))
            self.unsure += not pose.sure
            small = np.dstack([luma, *(reduced(plane, self.size) for plane in _chroma(frame))]) if look else None
            yield Moment(index=index, seconds=frame.time, shot=shot, pose=pose, frame=frame, small=small)

    def masked(self, moments: Iterable[Moment], *, rate: float, threshold: int, focus_block: int | None) -> Iterator[Moment]:
        """The same moments with masks of what moves, and is in focus if `focus_block` (pixels at 540 lines) is given.

        Looks LOOK_S seconds (at `rate` frames a second) behind and ahead, twice as far where a shot begins: as many frames are held.
        """
        look = look_frames(rate)
        height = self.size[1]
        block = None if focus_block is None else round(focus_block * height / 540) | 1

        def find(pair: tuple[Moment, list[Witness]]) -> Moment:
            moment, others = pair
            moment.mask = self._mask(moment, others, threshold, block)
            return moment

        return map_ordered(find, _neighbours(moments, look), workers=cores(), ahead=2)

    def between_small(self, source: Pose, target: Pose) -> NDArray[np.float64]:
        """`between` for small planes."""
        return scale_matrix(matrix_between(source, target), self.size[0] / self.width, self.size[1] / self.height)

    def _mask(self, moment: Moment, others: list[Witness], threshold: int, block: int | None) -> Mask:
        assert moment.small is not None
        known = [(other.small, self.between_small(other.pose, moment.pose)) for other in others]
        mask = moving(moment.small, known, threshold=threshold)
        return mask if block is None else focused(mask, moment.small[:, :, 0], block=block)


def cores() -> int:
    """How many frames are worked on at a time: one a core, six at the most, for the memory that each takes."""
    return min(os.cpu_count() or 1, _MOST_AT_A_TIME)


def look_frames(rate: float) -> int:
    """How many frames that is, at `rate` frames a second."""
    return min(max(round(LOOK_S * rate), 2), _MOST_LOOK)


def reduced(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A plane averaged down (or, chroma that is smaller already, smoothly enlarged) to `size`, (width, height)."""
    if plane.shape[::-1] == size:
        return plane.copy()
    plane = halve_toward(plane, size)
    if plane.shape[::-1] == size:
        return plane
    way = cv2.INTER_AREA if plane.shape[0] >= size[1] and plane.shape[1] >= size[0] else cv2.INTER_LINEAR
    return cv2.resize(plane, size, interpolation=way)


def witness_of(moment: Moment) -> Witness:
    """What is kept of a moment that has small planes."""
    assert moment.small is not None
    return Witness(moment.index, moment.shot, moment.pose, moment.small)


def _chroma(frame: Frame) -> tuple[NDArray[Any], ...]:
    planes = frame.planes()
    if frame.picture.format.name == "nv12":
        return tuple(np.ascontiguousarray(planes[1][:, :, part]) for part in range(2))
    return planes[1:3]


def _neighbours(moments: Iterable[Moment], look: int) -> Iterator[tuple[Moment, list["Witness"]]]:
    """Each moment with others of its shot that can tell what moves in it: `look` frames before and after it, then nearer ones.

    Towards the ends of a shot, the side that there is reaches up to twice as far instead.
    """
    waiting: deque[Moment] = deque()
    seen: deque[Witness] = deque()

    def take() -> tuple[Moment, list[Witness]]:
        moment = waiting.popleft()
        while seen[0].index < moment.index - 2 * look:
            seen.popleft()
        same = [one.index for one in seen if one.shot == moment.shot]
        before, after = moment.index - same[0], same[-1] - moment.index
        before, after = min(before, max(look, 2 * look - after)), min(after, max(look, 2 * look - before))
        far = [moment.index - before, moment.index + after]
        nearer = [moment.index + side * away // part for part in (2, 4) for side, away in ((1, after), (-1, before))]
        # One side is too near to tell much at the ends of a shot.
        order = sorted(dict.fromkeys(far + nearer), key=lambda index: abs(index - moment.index) < look // 2)
        return moment, [seen[index - seen[0].index] for index in order if index != moment.index]

    first = 0
    for moment in moments:
        while waiting and waiting[0].shot != moment.shot:
            yield take()
        if not waiting and (not seen or seen[-1].shot != moment.shot):
            first = moment.index
        waiting.append(moment)
        seen.append(witness_of(moment))
        while moment.index - waiting[0].index >= max(look, 2 * look - (waiting[0].index - first)):
            yield take()
    while waiting:
        yield take()
