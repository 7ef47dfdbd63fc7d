"""Removal of repeated source frames before interpolation.

Film at 24 frames per second in a file of 30, or animation on twos, shows some pictures for more than one frame. Interpolation between two
equal pictures stands still, so a slowed clip would stutter.

A frame's change is measured in small luma pictures, in the block that changes most. A frame is a repeat if its change is less than a fifth
of the changes shortly before and after it. This test tolerates the noise of an encoder and finds small moving objects. If noise makes all
changes alike, or if a scene stands still, all frames are kept.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import Frame, map_ordered

LONGEST_S = Fraction(1, 5)
"""Longest run of equal frames, in seconds, that counts as repeats. Animation on threes at 24 fps needs 1/8. A longer run is a still
picture."""

LONGEST_RUN = 6
"""Maximum number of frames in a run of repeats. Memory then does not depend on the frame rate."""

_AROUND = 2 * LONGEST_RUN
"""Number of frames on each side whose changes are compared with a frame's change. At the slowest cadence, two of them change."""
_SIZE = 160  # longer side, in pixels, of the compared pictures
_BLOCK = 5  # side of a block, in pixels
_SHARE = 0.2  # largest change of a repeat, as a share of the changes around it; measured: repeats 0.00 to 0.04, other frames 0.27 and more
_NOISE = 6.0  # largest change of a repeat, in levels, even if the changes around it are large
_VISIBLE = 1.0  # minimum change around a frame, in levels, that counts as motion


@dataclass(frozen=True, slots=True)
class HeldFrame:
    """A frame, with the time until which its picture is shown.

    `until`: the second at which another picture follows. `repeats`: number of frames that were left out.
    """

    frame: Frame
    until: Fraction
    repeats: int = 0


class Repeats:
    """Filter that leaves repeated frames out.

    `count` is the number of frames left out so far. Memory holds at most 20 frames.
    """

    def __init__(self) -> None:
        self.count = 0

    def without(self, frames: Iterable[Frame]) -> Iterator[HeldFrame]:
        """Yield a clip's frames without repeats.

        Each comes with the end of the time that it is shown.
        """
        run: list[Frame] = []
        standing = False
        for frame, repeats in _marked(frames):
            if run and (standing or not repeats):
                yield from self._ended(run, frame.time)
                run = []
            run.append(frame)
            standing = repeats and (standing or len(run) > LONGEST_RUN or frame.time - run[0].time >= LONGEST_S)
        if run:
            yield from self._ended(run, _end(run[-1]))

    def _ended(self, run: list[Frame], until: Fraction) -> Iterator[HeldFrame]:
        """Yield a run's first frame, or all its frames if the picture is still.

        The picture of a run longer than LONGEST_RUN or LONGEST_S stands still.
        """
        if len(run) > 1 and len(run) <= LONGEST_RUN and until - run[0].time <= LONGEST_S:
            self.count += len(run) - 1
            yield HeldFrame(run[0], until, len(run) - 1)
            return
        for frame, after in zip(run, [*run[1:], None], strict=True):
            yield HeldFrame(frame, after.time if after else until)


def _marked(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Yield each frame, and whether it repeats the previous frame."""
    past: deque[float] = deque(maxlen=_AROUND)
    ahead: deque[tuple[Frame, float | None]] = deque()
    for frame, change in _changes(frames):
        ahead.append((frame, change))
        if len(ahead) > _AROUND:
            yield _mark(past, ahead)
    while ahead:
        yield _mark(past, ahead)


def _mark(past: deque[float], ahead: deque[tuple[Frame, float | None]]) -> tuple[Frame, bool]:
    """Return the next frame, and whether it repeats the previous frame.

    Takes the frame from `ahead`, and compares its change with the changes around it: with the second largest change before it, or with the
    second largest change after it if that is smaller. So a cut, or a caption that appears, does not make the frames around it repeats. Near
    the ends of a clip, one side has too few frames and is left out.
    """
    frame, change = ahead.popleft()
    if change is None:  # nothing to compare with: the first frame, or a new picture size
        past.clear()
        return frame, False
    following = [later_change for _, later_change in ahead if later_change is not None]
    sides = [side for side in (past, following) if len(side) > LONGEST_RUN]
    motion = min(sorted(side)[-2] for side in sides) if sides else max([*past, *following], default=0.0)
    past.append(change)
    return frame, motion >= _VISIBLE and change <= min(_SHARE * motion, _NOISE)


def _changes(frames: Iterable[Frame]) -> Iterator[tuple[Frame, float | None]]:
    """Yield each frame with its difference from the previous frame.

    The difference is in levels of 256. None where the frames cannot be compared.
    """

    def shrink(frame: Frame) -> tuple[Frame, NDArray[np.uint8]]:
        scale = min(_SIZE / max(frame.width, frame.height), 1.0)
        return frame, frame.small_luma(max(round(frame.width * scale), 1), max(round(frame.height * scale), 1))

    before: NDArray[np.uint8] | None = None
    for frame, small in map_ordered(shrink, frames, ahead=2):
        yield frame, None if before is None or before.shape != small.shape else _change(before, small)
        before = small


def _change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Return the difference of two pictures in the block that changes most.

    The change is the mean difference, in levels of 256.
    """
    return float(cv2.blur(cv2.absdiff(before, after).astype(np.float32), (_BLOCK, _BLOCK)).max())


def _end(frame: Frame) -> Fraction:
    """Return the end time of a frame in seconds."""
    return frame.time + frame.duration * frame.time_base
