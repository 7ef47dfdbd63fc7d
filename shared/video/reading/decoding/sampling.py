"""Frames at chosen moments, with as little decoding as possible."""

import math
from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from fractions import Fraction
from typing import Protocol

from shared.video.reading.decoding.picture_stream import PictureStream
from shared.video.reading.decoding.picture_times import TimedPicture
from shared.video.reading.decoding.seek_target import SeekTarget

Open = Callable[[], AbstractContextManager[PictureStream]]


class Moments(Protocol):
    """A rising sequence of moments at which a frame is needed.

    Moments are in ticks of a time base.
    """

    def tick(self, number: int) -> int | None:
        """Return moment `number`, counted from 0; None after the last."""

    def following(self, pts: int) -> int:
        """Return the number of the first moment after `pts`."""


def sampled(
    opened: Open, moments: Callable[[Fraction], Moments], *, until: Fraction | None = None
) -> Generator[tuple[PictureStream, TimedPicture], None, None]:
    """Yield the first frame at or after each moment, with its stream.

    `moments`: returns the moments for a time base. Only pictures before `until` seconds are yielded, each once. Decoding jumps to the last
    keyframe before the next moment where the index lists one, and skips pictures that no other picture refers to. The result is the same as
    when everything is decoded.
    """
    with ExitStack() as stack:
        pictures = stack.enter_context(opened())
        pictures.load_index()
        plan = moments(pictures.base)
        seekable, target = True, plan.tick(0)
        if target is None:
            return
        aim = SeekTarget(target, alone=_alone(pictures, target, plan.tick(1)))
        jump = aim.target > 0
        while True:
            timed_pictures = pictures.from_about(aim.target, aim) if jump else pictures.all(aim)
            if timed_pictures is None:
                # Not every file can seek to its start: open it anew and read to its end.
                seekable, jump, aim.alone = False, False, False
                stack.close()
                pictures = stack.enter_context(opened())
                timed_pictures = pictures.all(aim)
            with closing(timed_pictures):
                for picture, pts in timed_pictures:
                    if pts < aim.target:
                        continue
                    if until is not None and pts >= until / pictures.base - Fraction(1, 2):
                        return
                    yield pictures, (picture, pts)
                    number, was_alone = plan.following(pts), aim.alone
                    target = plan.tick(number)
                    if target is None:
                        return
                    aim.move(target, alone=seekable and _alone(pictures, target, plan.tick(number + 1)))
                    # Seeking to a keyframe that the decoder already has would save nothing.
                    jump = seekable and pictures.key_between(max(pts, pictures.latest_time), target)
                    if jump or was_alone:
                        jump = True
                        break
                else:
                    if not aim.emptied:
                        return
                    # The drained packets did not contain the picture: seek to it.
                    jump, aim.alone, aim.emptied = True, False, False


def _alone(pictures: PictureStream, target: int, following: int | None) -> bool:
    """Return whether to drain the decoder for the frame at `target`.

    If not, the next packets are read until the decoder returns the frame. True at the last moment, and if the moment `following` can be
    reached from a later keyframe that the decoder has not read yet. From an earlier keyframe, pictures would be decoded twice.
    """
    return following is None or pictures.key_between(target + pictures.read_ahead, following)


def evenly(start: Fraction, per_second: Fraction, until: Fraction | None) -> Callable[[Fraction], Moments]:
    """Return evenly spaced moments, as a function for `sampled`.

    `per_second` moments a second begin at `start`. Moments from `until` on are left out; both limits are in seconds.
    """
    return lambda base: _Grid(start, per_second, until, base)


def at_times(times: Sequence[Fraction]) -> Callable[[Fraction], Moments]:
    """Return the moments of given times, as a function for `sampled`.

    `times` are in seconds, and rise.
    """
    return lambda base: _Times([_tick(time, base) for time in times])


def _tick(moment: Fraction, base: Fraction) -> int:
    """Convert seconds to ticks of `base`.

    The result is rounded so that frames with rounded times keep their moment.
    """
    return math.ceil(moment / base - Fraction(1, 2))


class _Grid:
    """A sequence of moments at equal distances."""

    def __init__(self, start: Fraction, per_second: Fraction, until: Fraction | None, base: Fraction):
        self._start, self._per_second, self._until, self._base = start, per_second, until, base

    def tick(self, number: int) -> int | None:
        moment = self._start + number / self._per_second
        return _tick(moment, self._base) if self._until is None or moment < self._until else None

    def following(self, pts: int) -> int:
        return math.floor(((pts + Fraction(1, 2)) * self._base - self._start) * self._per_second) + 1


class _Times:
    """A sequence of moments from a list."""

    def __init__(self, ticks: list[int]):
        self._ticks = ticks

    def tick(self, number: int) -> int | None:
        return self._ticks[number] if number < len(self._ticks) else None

    def following(self, pts: int) -> int:
        return bisect_right(self._ticks, pts)
