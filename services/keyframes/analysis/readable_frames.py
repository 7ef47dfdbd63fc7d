"""Reading of damaged videos: all frames before and after the damage."""

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

from shared.errors import BrokenMedia
from shared.video import Frame
from shared.video.threads.prefetch import Prefetcher

_STEPS = (0, 1, 2, 3, 5, 8, 12, 20, 32, 50, 80, 120, 200)
"""Distances after a damaged part, in keyframes, at which reading is tried. If the keyframes are unknown, the unit is _STEP_S seconds."""
_MIN_FRAMES = 3  # minimum number of frames between two damages that count as a readable part
_MAX_DAMAGES = 100  # number of readable parts after which the rest of the video is given up
_STEP_S = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class ReadablePart:
    """A readable part of a video, in seconds."""

    start: Fraction
    end: Fraction


class ReadableFrames:
    """Iterable over the frames of a video outside its damaged parts.

    After each damage, it goes on at a keyframe. `open_at`: opens the video at the first keyframe from a second on; None for its start.
    `keys`: seconds of all keyframes, rising; empty if unknown. `length_s`: length of the video, None if unknown. `parts` has the readable
    parts as soon as all frames are read; `ended` tells whether the last one reaches the end of the file. An error before the first frame is
    raised.
    """

    def __init__(
        self,
        open_at: Callable[[Fraction | None], Prefetcher[Frame]],
        keys: Sequence[Fraction],
        length_s: float | None,
    ):
        self._open_at, self._keys, self._length_s = open_at, keys, length_s
        self._last: Frame | None = None
        self.parts: list[ReadablePart] = []
        self.begins: set[int] = set()
        """Times of the first frames after damaged parts, in the frames' time base."""
        self.ended = False

    @property
    def damaged(self) -> bool:
        """Whether any part of the video is unreadable."""
        return len(self.parts) > 1 or not self.ended

    def __iter__(self) -> Generator[Frame, None, None]:
        yield from self._from(None)
        while not self.ended and self._last is not None and len(self.parts) < _MAX_DAMAGES:
            count = len(self.parts)
            for place in self._places_after(self._last):
                yield from self._from(place)
                if len(self.parts) > count:
                    break
            else:
                return

    def _from(self, place: Fraction | None) -> Iterator[Frame]:
        """Yield the frames from `place` seconds on, up to the next damage.

        Only frames after the last yielded one are yielded. After a damage, a part begins with a keyframe. A few frames between two
        damages are no part: the decoder may have made them up.
        """
        first: Frame | None = None
        waiting: list[Frame] = []
        try:
            with closing(self._open_at(place)) as frames:
                for frame in frames:
                    if self._last is not None and frame.pts <= self._last.pts:
                        continue
                    if place is not None and not waiting and first is None and not frame.picture.key_frame:
                        continue
                    waiting.append(frame)
                    if first is None and place is not None and len(waiting) < _MIN_FRAMES:
                        continue
                    if first is None and place is not None:
                        self.begins.add(waiting[0].pts)
                    first = first or waiting[0]
                    for ready in waiting:
                        self._last = ready
                        yield ready
                    waiting = []
            self.ended = first is not None
        except BrokenMedia:
            if self._last is None:
                raise
        if first is not None and self._last is not None:
            self.parts.append(ReadablePart(first.time, self._last.time + self._last.duration * self._last.time_base))

    def _places_after(self, last: Frame) -> Iterator[Fraction]:
        """Yield the times after the frame `last` at which to try reading again."""
        if self._keys:
            first = bisect_right(self._keys, last.time)
            yield from (self._keys[first + step] for step in _STEPS if first + step < len(self._keys))
            return
        for step in _STEPS:
            place = last.time + (step + Fraction(1, 100)) * _STEP_S
            if self._length_s is not None and place < self._length_s:
                yield place
