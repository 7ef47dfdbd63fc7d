"""A clip as the effects see it: frame by frame with the camera's pose, its shot, and what moves in it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.camera import Camera, Model, Pose, between, scaled
from services.effects.pixels import Planes
from services.effects.subject import Mask, Small, focused, moving
from shared.video import Frame, map_ordered

GHOST_HEIGHT = 270
_MOST_REDUCED = 4
LOOK_S = 0.3
"""How far from a frame the others are that tell what moves in it."""
_MOST_LOOK = 20


@dataclass(slots=True, eq=False)
class Moment:
    """One frame and what was found out about it; planes are let go of (None) by whoever knows that they are not needed any more.

    `index` counts the frames of the part that is used, `shot` the shots. `small`: Y, U, V as uint8 in `small_size`; `mask`: what moves,
    uint8, in that size (a given matte may be larger); None: not looked for.
    """

    index: int
    seconds: Fraction
    shot: int
    pose: Pose
    frame: Frame | None
    small: Small | None
    mask: Mask | None = None
    planes: Planes | None = None
    reduced: Planes | None = None


def small_size(width: int, height: int) -> tuple[int, int]:
    """Size that masks and soft ghosts are made in: a quarter of 1080 lines, less reduced where there are fewer."""
    factor = min(max(round(height / GHOST_HEIGHT), 1), _MOST_REDUCED)
    return max(round(width / factor), 1), max(round(height / factor), 1)


class Scene:
    """Turns frames of one size into moments, in order."""

    def __init__(self, width: int, height: int, *, model: Model) -> None:
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
            small = (luma, *(reduced(plane, self.size) for plane in _chroma(frame))) if look else None
            yield Moment(index=index, seconds=frame.time, shot=shot, pose=pose, frame=frame, small=small)

    def masked(self, moments: Iterable[Moment], *, rate: float, threshold: int, focus_block: int | None) -> Iterator[Moment]:
        """The same moments with masks of what moves, and is in focus if `focus_block` (pixels at 540 lines) is given.

        Looks LOOK_S seconds (at `rate` frames a second) behind and ahead: as many frames are held.
        """
        look = min(max(round(LOOK_S * rate), 2), _MOST_LOOK)
        height = self.size[1]
        block = None if focus_block is None else round(focus_block * height / 540) | 1

        def find(pair: tuple[Moment, list[Moment]]) -> Moment:
            moment, others = pair
            moment.mask = self._mask(moment, others, threshold, block)
            return moment

        return map_ordered(find, _neighbours(moments, look), ahead=2)

    def between_small(self, source: Pose, target: Pose, full: tuple[int, int]) -> NDArray[np.float64]:
        """`between` for small planes of frames of the size `full`."""
        return scaled(between(source, target), self.size[0] / full[0], self.size[1] / full[1])

    def _mask(self, moment: Moment, others: list[Moment], threshold: int, block: int | None) -> Mask:
        assert moment.small is not None and moment.frame is not None
        full = moment.frame.width, moment.frame.height
        known = [(other.small, self.between_small(other.pose, moment.pose, full)) for other in others if other.small is not None]
        mask = moving(moment.small, known, threshold=threshold)
        return mask if block is None else focused(mask, moment.small[0], block=block)


def reduced(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A plane averaged down (or, chroma that is smaller already, smoothly enlarged) to `size`, (width, height)."""
    if plane.shape[::-1] == size:
        return plane.copy()
    way = cv2.INTER_AREA if plane.shape[0] >= size[1] and plane.shape[1] >= size[0] else cv2.INTER_LINEAR
    return cv2.resize(plane, size, interpolation=way)


def _chroma(frame: Frame) -> tuple[NDArray[Any], ...]:
    planes = frame.planes()
    if frame.picture.format.name == "nv12":
        return tuple(np.ascontiguousarray(planes[1][:, :, part]) for part in range(2))
    return planes[1:3]


def _neighbours(moments: Iterable[Moment], look: int) -> Iterator[tuple[Moment, list[Moment]]]:
    """Each moment with one `look` frames before and one after it; at the ends of a shot with two on the one side there is."""
    held: deque[Moment] = deque()
    current = 0

    def take() -> tuple[Moment, list[Moment]]:
        moment = held[current]
        same: Callable[[int], bool] = lambda place: 0 <= place < len(held) and held[place].shot == moment.shot  # noqa: E731
        before = next((place for place in range(current - look, current) if same(place)), current)
        after = next((place for place in range(min(current + look, len(held) - 1), current, -1) if same(place)), current)
        places = {before, after} - {current}
        # Near an end, halfway to the far one: two frames of one side can tell as well, if they are some way apart.
        if current - before < look // 2 and after - current > 1:
            places = {after, current + (after - current) // 2}
        elif after - current < look // 2 and current - before > 1:
            places = {before, current - (current - before) // 2}
        return moment, [held[place] for place in sorted(places)]

    for moment in moments:
        held.append(moment)
        if len(held) - current > look:
            yield take()
            current += 1
            if current > look:
                held.popleft()
                current -= 1
    while current < len(held):
        yield take()
        current += 1
