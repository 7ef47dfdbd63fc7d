"""Motion blur for parts that play faster than recorded.

The source frames of each output frame are averaged.
"""

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

_MAX_MIXED = 8  # maximum number of averaged frames; more look the same and take more memory
_MIN_EXPOSURE = 1e-3  # minimum exposure of an averaged frame, as a share of a source frame


class FrameWindow:
    """Iterator over frames with access to recent and upcoming frames."""

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
        """Drop past frames before source second `before`."""
        while self._past and self._past[0].time < before:
            self._past.popleft()

    @property
    def held(self) -> int:
        """Number of frames in memory."""
        return len(self._past) + len(self._ahead)

    def between(self, first: float, last: float) -> list[Frame]:
        """Return the frames between source seconds `first` and `last`.

        Reads ahead if necessary.
        """
        while not self._ahead or self._ahead[-1].time <= last:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._ahead.append(frame)
        return [frame for frame in (*self._past, *self._ahead) if first <= frame.time <= last]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """An output frame that averages several source frames.

    `weights` add up to 1.
    """

    number: int
    frames: tuple[Frame, ...]
    weights: tuple[float, ...]

    def picture(self) -> av.VideoFrame:
        """Return the picture to write, with the source's tags.

        Averages the planes: the mean of YUV is the YUV of the mean.
        """
        first = self.frames[0]
        means = tuple(_mean(planes, self.weights) for planes in zip(*(frame.planes() for frame in self.frames), strict=True))
        picture = picture_from(means, first.width, first.height, first.picture.format.name)
        apply_tags(picture, first.color)
        return picture


class OutputFrame(Protocol):
    """Interface of output frames: number, source frame and picture.

    `before` is the source frame, or the first of two.
    """

    @property
    def number(self) -> int: ...
    @property
    def before(self) -> Frame: ...
    def picture(self) -> av.VideoFrame: ...


Shown = TypeVar("Shown", bound=OutputFrame)


def motion_blurred(
    picks: Iterable[Shown], window: FrameWindow, clock: Clock, rate: Fraction, *, shutter: float
) -> Iterator[Shown | Exposure]:
    """Average the source frames of each output frame that spans several.

    Other output frames are returned unchanged. `picks` must have been made from `window`. `shutter`: share (0 to 1) of an output frame's
    duration in which the shutter is open, centred on the frame's moment. A source frame is weighted by the time that the shutter is open
    while it is the nearest frame.
    """
    for pick in picks:
        moment = float(pick.number / rate)
        half = float(0.5 / rate)
        a, middle, b = (float(second) for second in clock.source([moment - half, moment, moment + half]))
        half_open_s, frame_s = shutter * (b - a) / 2, float(pick.before.duration * pick.before.time_base or 1 / rate)
        # Forget frames also where the clip is slow and nothing is averaged, so that they do not pile up.
        window.forget(a - frame_s)
        blurs = 2 * half_open_s > frame_s * (1 + _MIN_EXPOSURE)
        yield _exposure(pick, window, middle - half_open_s, middle + half_open_s, frame_s) if blurs else pick


def _exposure(pick: Shown, window: FrameWindow, first: float, last: float, frame_s: float) -> Shown | Exposure:
    """Average the source frames between seconds `first` and `last`.

    Both are source seconds. Returns `pick` if there is only one frame.
    """
    frames = [frame for frame in window.between(first - frame_s / 2, last + frame_s / 2) if _same_format(frame, pick.before)]
    frames = frames[:: math.ceil(len(frames) / _MAX_MIXED)] if frames else frames
    exposed = [min(float(frame.time) + frame_s / 2, last) - max(float(frame.time) - frame_s / 2, first) for frame in frames]
    exposures = [(frame, length) for frame, length in zip(frames, exposed, strict=True) if length > _MIN_EXPOSURE * frame_s]
    if len(exposures) < 2:
        return pick
    total = math.fsum(length for _, length in exposures)
    return Exposure(
        number=pick.number, frames=tuple(frame for frame, _ in exposures), weights=tuple(length / total for _, length in exposures)
    )


def _same_format(a: Frame, b: Frame) -> bool:
    """Return whether two frames have equal size and pixel format."""
    return (a.width, a.height, a.picture.format.name) == (b.width, b.height, b.picture.format.name)


def _mean(planes: tuple[NDArray[Any], ...], weights: tuple[float, ...]) -> NDArray[Any]:
    """Return the weighted mean of planes, rounded to their dtype."""
    total = np.zeros(planes[0].shape, np.float32)
    for plane, weight in zip(planes, weights, strict=True):
        cv2.addWeighted(np.ascontiguousarray(plane), weight, total, 1.0, 0.0, dst=total, dtype=cv2.CV_32F)
    return np.rint(total).astype(planes[0].dtype)
