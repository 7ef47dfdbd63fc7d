"""Drafts: images of likely keyframes, written while the video is scanned.

While a shot is scanned, its best frames so far are held. At its end, the best of them is written as a draft. The keyframes are chosen
later, from the measures of the whole video. Drafts of frames that are not chosen are dropped. A chosen frame without a draft is decoded
again, from the keyframe of the file before it. Without drafts, decoding the chosen frames again takes a third of a job if most shots begin
with a keyframe of the file.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.frame_quality import LAYOUT_BYTES, FrameQuality
from services.keyframes.selection.ratings import EDGE, LAYOUT_SCALE, MOTION_SCALE, QUALITIES, Floats, ShotLooks, price, rate, score
from shared.video import Frame
from shared.video.frames.planes import bytes_of

_HELD, _HELD_BYTES = 8, 28 * 1024**2
"""Maximum number of frames held at a time, and maximum of their bytes."""
_NEAR = 3
"""Number of frames that form a group with the frame before them. Only the best frame of a group is held."""
_CUT, _TIMES = 10.0, 3.0
"""Limits for a change that may begin a shot. It is at least _CUT levels, and at least _TIMES the mean change of the shot so far. An error
costs little: a shot cut in two gets a draft too many, two shots taken for one get a draft too few."""
_GROWTH = 1.3
"""Factor by which a shot must grow before its highest sharpness is recomputed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A frame that is held because it may become a keyframe."""

    frame: Frame
    number: int
    since_key: int
    sharpness: float
    exposure: float
    pixel_change: float
    layout: NDArray[np.uint8]


class Drafts:
    """Collector of likely keyframes, which it writes as drafts.

    `write`: called with a frame and its number for each draft. `most`: maximum number of drafts; further frames are ignored.
    """

    def __init__(self, write: Callable[[Frame, int], None], *, most: int):
        self._write, self.most = write, most
        self.numbers: set[int] = set()
        """Numbers of the frames that have a draft."""
        self._key = 0
        self._first = self._group = 0
        self._change = self._sharp = self._next_count = 0.0
        self._sharpness, self._layout = array("f"), np.zeros(LAYOUT_BYTES)
        self._held: list[_Held] = []

    def restart(self) -> None:
        """Forget all frames, because the scan begins anew."""
        self.numbers.clear()
        self._begin_shot(0)

    def add(self, frame: Frame, number: int, quality: FrameQuality, pixel_change: float) -> None:
        """Add the next scanned frame.

        `number`: number of the frame. `pixel_change`: change from the previous frame, 0 to 255.
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
        held = _Held(frame, number, number - self._key, quality.sharpness, quality.exposure, pixel_change, layout)
        if self._held and number <= self._group + _NEAR:
            self._measure_sharp()
            mean = self._layout / len(self._sharpness)
            if self._quick_score(held, mean) > self._quick_score(self._held[-1], mean):
                self._held[-1] = held
            return
        self._group = number
        self._held.append(held)
        if len(self._held) > min(_HELD, _HELD_BYTES // max(bytes_of(frame.picture), 1)):
            del self._held[int(np.argmin(self._scores(self._held)))]

    def finish(self, frames: int) -> None:
        """Write the draft of the last shot.

        `frames`: number of frames of the video.
        """
        self._end_shot(frames)
        self._begin_shot(frames)

    def _begin_shot(self, first: int) -> None:
        self._first, self._group, self._change = first, first, 0.0
        self._sharpness, self._layout = array("f"), np.zeros(LAYOUT_BYTES)
        self._sharp, self._next_count = 0.0, 0.0
        self._held = []

    def _end_shot(self, after: int) -> None:
        """Write the best frame of the shot that ends before frame `after`."""
        self._next_count = 0.0
        inner = [held for held in self._held if held.number < after - EDGE]
        if inner:
            best = inner[int(np.argmax(self._scores(inner)))]
            if not best.frame.color.hdr:
                self._write(best.frame, best.number)
                self.numbers.add(best.number)

    def _quick_score(self, held: _Held, mean: Floats) -> float:
        """Approximate the rating of `_scores` for one frame, in a third of the time.

        The frame's place in the file is left out. `mean`: (48,), mean layout of the shot.
        """
        sharpness = min(held.sharpness / max(self._sharp, 1e-6), 1.0)
        typical = exp(-float(np.abs(held.layout - mean).sum()) / LAYOUT_BYTES / LAYOUT_SCALE)
        ratings = (sharpness, held.exposure, typical, exp(-held.pixel_change / MOTION_SCALE))
        return sum(quality.weight * rating for quality, rating in zip(QUALITIES, ratings, strict=True))

    def _measure_sharp(self) -> None:
        """Update the 95th percentile of the shot's sharpness, if the shot has grown enough."""
        count = len(self._sharpness)
        if count >= self._next_count:
            self._sharp, self._next_count = float(np.percentile(self._sharpness, 95)), count * _GROWTH

    def _scores(self, frames: list[_Held]) -> Floats:
        """Rate frames by the measurements of their shot so far."""
        self._measure_sharp()
        count = len(self._sharpness)
        looks = ShotLooks(self._sharp, self._layout / count)
        plain = np.array([(held.sharpness, held.exposure, held.pixel_change) for held in frames])
        ratings = rate(plain[:, 0], plain[:, 1], np.array([held.layout for held in frames]), plain[:, 2], looks)
        return score(ratings) - price(np.array([held.since_key for held in frames]))
