"""Motion blur where the clip plays faster than it was taken: each output frame is the mean of the source frames that it stands for."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeVar

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.curve.clock import Clock
from shared.video import Frame
from shared.video.frames.color import apply_tags
from shared.video.frames.planes import picture_from

_MOST_MIXED = 8  # of more frames this many, evenly spread, look the same and are held in memory
_LEAST = 1e-3


class Window:
    """Frames handed on one by one, those handed out lately and those ahead still at hand."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = iter(frames)
        self._past: deque[Frame] = deque()
        self._ahead: deque[Frame] = deque()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        frame = self._ahead.popleft() if self._ahead else next(self._frames)
        self._past.append(frame)
        return frame

    def forget(self, before: float) -> None:
        """Nothing before second `before` of the source will be asked for again."""
        while self._past and self._past[0].time < before:
            self._past.popleft()

    @property
    def held(self) -> int:
        """How many frames are at hand."""
        return len(self._past) + len(self._ahead)

    def between(self, first: float, last: float) -> list[Frame]:
        """The frames from second `first` to `last` of the source."""
        while not self._ahead or self._ahead[-1].time <= last:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._ahead.append(frame)
        return [frame for frame in (*self._past, *self._ahead) if first <= frame.time <= last]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Output frame `number` is the mean of `frames`, weighted by `weights` (sum 1)."""

    number: int
    frames: tuple[Frame, ...]
    weights: tuple[float, ...]

    def picture(self) -> av.VideoFrame:
        """The picture to write, mixed in the planes as they are (the mean of YUV is the YUV of the mean), with the tags of the source."""
        first = self.frames[0]
        means = tuple(_mean(planes, self.weights) for planes in zip(*(frame.planes() for frame in self.frames), strict=True))
        picture = picture_from(means, first.width, first.height, first.picture.format.name)
        apply_tags(picture, first.color)
        return picture


class Moment(Protocol):
    """What one output frame shows."""

    @property
    def number(self) -> int: ...
    @property
    def before(self) -> Frame: ...
    def picture(self) -> av.VideoFrame: ...


Shown = TypeVar("Shown", bound=Moment)


def exposed(picks: Iterable[Shown], window: Window, clock: Clock, rate: Fraction, *, shutter: float) -> Iterator[Shown | Exposure]:
    """The picks, those that stand for more than one source frame replaced by means of what the shutter sees.

    `picks` must be made of `window`. `shutter`: the part of an output frame's time, 0 to 1, for which it is open, around the frame's
    moment. A source frame counts by how much of the time nearest to it the shutter is open.
    """
    for pick in picks:
        moment = float(pick.number / rate)
        half = float(0.5 / rate)
        a, middle, b = (float(second) for second in clock.source([moment - half, moment, moment + half]))
        # Forgotten also where the clip is slow and nothing is mixed: frames must not gather.
        open_s, apart = shutter * (b - a) / 2, float(pick.before.duration * pick.before.time_base or 1 / rate)
        window.forget(a - apart)
        yield pick if 2 * open_s <= apart * (1 + _LEAST) else _exposure(pick, window, middle - open_s, middle + open_s, apart)


def _exposure(pick: Shown, window: Window, first: float, last: float, apart: float) -> Shown | Exposure:
    frames = [frame for frame in window.between(first - apart / 2, last + apart / 2) if _alike(frame, pick.before)]
    frames = frames[:: math.ceil(len(frames) / _MOST_MIXED)] if frames else frames
    seen = [min(float(frame.time) + apart / 2, last) - max(float(frame.time) - apart / 2, first) for frame in frames]
    kept = [(frame, length) for frame, length in zip(frames, seen, strict=True) if length > _LEAST * apart]
    if len(kept) < 2:
        return pick
    total = math.fsum(length for _, length in kept)
    return Exposure(number=pick.number, frames=tuple(frame for frame, _ in kept), weights=tuple(length / total for _, length in kept))


def _alike(a: Frame, b: Frame) -> bool:
    return (a.width, a.height, a.picture.format.name) == (b.width, b.height, b.picture.format.name)


def _mean(planes: tuple[NDArray[Any], ...], weights: tuple[float, ...]) -> NDArray[Any]:
    total = np.zeros(planes[0].shape, np.float32)
    for plane, weight in zip(planes, weights, strict=True):
        cv2.addWeighted(np.ascontiguousarray(plane), weight, total, 1.0, 0.0, dst=total, dtype=cv2.CV_32F)
    return np.rint(total).astype(planes[0].dtype)
