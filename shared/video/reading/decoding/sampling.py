"""Pictures at even intervals, with as little decoding as possible."""

import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, closing
from fractions import Fraction

from shared.video.reading.decoding.decode import PictureStream, SeekTarget, TimedPicture

Open = Callable[[], AbstractContextManager[PictureStream]]


def sampled(
    opened: Open, *, start: Fraction, per_second: Fraction, until: Fraction | None
) -> Generator[tuple[PictureStream, TimedPicture], None, None]:
    """Yield the first picture at or after each sampling moment.

    Moments are `start` + k / `per_second` before `until`, in seconds; a picture is yielded once. Decoding jumps to the last keyframe before
    the next moment where the index lists one, and skips pictures that no other picture refers to. The result is the same as when everything
    is decoded.
    """
    with ExitStack() as stack:
        pictures = stack.enter_context(opened())
        pictures.load_index()
        grid = _Grid(start, per_second, pictures.base)
        number, seekable = 0, True
        aim = SeekTarget(grid.ticks(0), alone=_alone(pictures, grid.ticks(0), grid.ticks(1)))
        jump = aim.target > 0
        while until is None or grid.moment(number) < until:
            shown = pictures.from_about(aim.target, aim) if jump else pictures.all(aim)
            if shown is None:
                # Not every file can seek to its start: open it anew and read to its end.
                seekable, jump, aim.alone = False, False, False
                stack.close()
                pictures = stack.enter_context(opened())
                shown = pictures.all(aim)
            with closing(shown):
                for picture, pts in shown:
                    if pts < aim.target:
                        continue
                    if until is not None and pts >= until / pictures.base - Fraction(1, 2):
                        return
                    yield pictures, (picture, pts)
                    number = grid.following(pts)
                    was_alone, target = aim.alone, grid.ticks(number)
                    aim.move(target, alone=seekable and _alone(pictures, target, grid.ticks(number + 1)))
                    # Seeking to a keyframe that the decoder already has would save nothing.
                    jump = seekable and pictures.key_between(max(pts, pictures.given), target)
                    if jump or was_alone:
                        jump = True
                        break
                else:
                    if not aim.emptied:
                        return
                    # The drained packets did not contain the picture: seek to it.
                    jump, aim.alone, aim.emptied = True, False, False


def _alone(pictures: PictureStream, target: int, following: int) -> bool:
    """Check whether to drain the decoder after the picture at `target`.

    True if the moment `following` can be reached from a later keyframe. Not from a keyframe that the decoder has read by then, since its
    pictures would be decoded twice.
    """
    return pictures.key_between(target + pictures.read_ahead, following)


class _Grid:
    """Sampling moments in ticks of a time base.

    They are rounded so that frames with rounded times keep their moment.
    """

    def __init__(self, start: Fraction, per_second: Fraction, base: Fraction):
        self._start, self._per_second, self._base = start, per_second, base

    def moment(self, number: int) -> Fraction:
        return self._start + number / self._per_second

    def ticks(self, number: int) -> int:
        return math.ceil(self.moment(number) / self._base - Fraction(1, 2))

    def following(self, pts: int) -> int:
        """Return the number of the first moment after `pts`."""
        return math.floor(((pts + Fraction(1, 2)) * self._base - self._start) * self._per_second) + 1
