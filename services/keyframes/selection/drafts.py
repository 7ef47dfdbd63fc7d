"""Drafts: images of likely keyframes, written while the video is scanned.

A chosen frame without a draft is decoded again, from the keyframe of the file before it. That takes a third of a job where most shots
begin with a keyframe of the file. While a shot is scanned, its best frames so far are held; at its end, the best of them is written. The
choice is made later, from the measures of the whole video. A draft that is not chosen is dropped, and a missing one is decoded again.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.frame_quality import LAYOUT_BYTES, FrameQuality
from services.keyframes.selection.ratings import EDGE, Floats, ShotLooks, price, rate, score
from shared.video import Frame
from shared.video.frames.planes import bytes_of

_HELD, _HELD_BYTES = 6, 28 * 1024**2
"""Most frames that are held, and most bytes of them."""
_NEAR = 8
"""Frames between two held frames that look alike."""
_CUT, _TIMES = 10.0, 3.0
"""Least change in levels at which a shot may begin, and how many times the mean change of its shot that is. A shot that is divided in
error costs a draft too many; two that are taken for one cost a draft too few."""
_GROWTH = 1.3
"""Growth of a shot after which the sharpness of its sharpest frames is computed again."""


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A frame that may be chosen."""

    frame: Frame
    number: int
    since_key: int
    sharpness: float
    exposure: float
    pixel_change: float
    layout: NDArray[np.uint8]


class Drafts:
    """Collector of likely keyframes.

    `write`: called with each draft, a frame and its number. `most`: most drafts, after which no frame is looked at.
    """

    def __init__(self, write: Callable[[Frame, int], None], *, most: int):
        self._write, self.most = write, most
        self.numbers: set[int] = set()
        """Numbers of the frames that have a draft."""
        self._begin_shot(0)
        self._key = 0

    def restart(self) -> None:
        """Forget all frames, because the scan begins anew."""
        self.numbers.clear()
        self._begin_shot(0)

    def add(self, frame: Frame, number: int, quality: FrameQuality, pixel_change: float) -> None:
        """Add the next scanned frame.

        `number`: of the frame. `pixel_change`: since the previous frame, 0 to 255.
        """
        if len(self.numbers) >= self.most or bytes_of(frame.picture) > _HELD_BYTES // 2:
            return
        if frame.picture.key_frame:
            self._key = number
        count = len(self._sharpness)
        if count and pixel_change >= max(_CUT, _TIMES * self._change / count):
            self._end_shot(number)
            self._begin_shot(number)
            count = 0
        layout = np.frombuffer(quality.layout, np.uint8)
        self._sharpness.append(quality.sharpness)
        self._layout += layout
        self._change += pixel_change if count else 0.0
        if number < self._first + EDGE:
            return
        self._held.append(_Held(frame, number, number - self._key, quality.sharpness, quality.exposure, pixel_change, layout))
        if len(self._held) > min(_HELD, _HELD_BYTES // max(bytes_of(frame.picture), 1)):
            del self._held[self._dispensable()]

    def finish(self, frames: int) -> None:
        """Write the draft of the last shot.

        `frames`: number of frames of the video.
        """
        self._end_shot(frames)
        self._begin_shot(frames)

    def _begin_shot(self, first: int) -> None:
        self._first, self._change = first, 0.0
        self._sharpness, self._layout = array("f"), np.zeros(LAYOUT_BYTES)
        self._sharp, self._next_count = 0.0, 0.0
        self._held: list[_Held] = []

    def _end_shot(self, after: int) -> None:
        """Write the best frame of the shot that ends before frame `after`."""
        self._next_count = 0.0
        inner = [held for held in self._held if held.number < after - EDGE]
        if inner:
            best = inner[int(np.argmax(self._scores(inner)))]
            if not best.frame.color.hdr:
                self._write(best.frame, best.number)
                self.numbers.add(best.number)

    def _dispensable(self) -> int:
        """Return the index of the held frame that is needed least.

        Of two frames close to each other, which look alike, it is the worse one: what the shot's frames have in common may still change.
        """
        scores = self._scores(self._held)
        gaps = [after.number - before.number for before, after in pairwise(self._held)]
        pair = int(np.argmin(gaps))
        if gaps[pair] > _NEAR:
            return int(np.argmin(scores))
        return pair if scores[pair] < scores[pair + 1] else pair + 1

    def _scores(self, frames: list[_Held]) -> Floats:
        """Rate frames by what is known of their shot."""
        count = len(self._sharpness)
        if count >= self._next_count:
            self._sharp, self._next_count = float(np.percentile(self._sharpness, 95)), count * _GROWTH
        looks = ShotLooks(self._sharp, self._layout / count)
        plain = np.array([(held.sharpness, held.exposure, held.pixel_change) for held in frames])
        ratings = rate(plain[:, 0], plain[:, 1], np.array([held.layout for held in frames]), plain[:, 2], looks)
        return score(ratings) - price(np.array([held.since_key for held in frames]))
