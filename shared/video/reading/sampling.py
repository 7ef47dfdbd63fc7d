"""A few pictures of a file, evenly spaced in time, without decoding what lies between them where that can be left out."""

import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, closing
from fractions import Fraction

from shared.video.reading.decode import Aim, Pictures, Shown

Open = Callable[[], AbstractContextManager[Pictures]]


def sampled(
    opened: Open, *, start: Fraction, per_second: Fraction, until: Fraction | None
) -> Generator[tuple[Pictures, Shown], None, None]:
    """Of each moment `start` + k / `per_second` before `until` (seconds) the first picture that begins at or after it, each once.

    Between them it goes on from the next keyframe before the moment where one is known to lie there, and leaves out pictures that
    no other one refers to; what is given is what reading everything would give.
    """
    with ExitStack() as stack:
        pictures = stack.enter_context(opened())
        pictures.load_index()
        grid = _Grid(start, per_second, pictures.base)
        number, seekable = 0, True
        aim = Aim(grid.ticks(0), alone=_alone(pictures, grid.ticks(0), grid.ticks(1)))
        jump = aim.target > 0
        while until is None or grid.moment(number) < until:
            found = pictures.from_about(aim.target, aim) if jump else pictures.all(aim)
            if found is None:
                # Not every file can be taken back to its start: it is read anew, and to its end.
                seekable, jump, aim.alone = False, False, False
                stack.close()
                pictures = stack.enter_context(opened())
                found = pictures.all(aim)
            with closing(found):
                for picture, pts in found:
                    if pts < aim.target:
                        continue
                    if until is not None and pts >= until / pictures.base - Fraction(1, 2):
                        return
                    yield pictures, (picture, pts)
                    number = grid.following(pts)
                    left, target = aim.alone, grid.ticks(number)
                    aim.move(target, alone=seekable and _alone(pictures, target, grid.ticks(number + 1)))
                    # A keyframe that the decoder has already is no place to jump to.
                    jump = seekable and pictures.key_between(max(pts, pictures.given), target)
                    if jump or left:
                        jump = True
                        break
                else:
                    if not aim.emptied:
                        return
                    # The picture did not come of what it was expected from.
                    jump, aim.alone, aim.emptied = True, False, False


def _alone(pictures: Pictures, target: int, following: int) -> bool:
    """Whether the decoder is emptied after the picture at `target`, since before the `following` one it goes on from a keyframe.

    Not for a keyframe that it has read by the time it hands the picture out: its pictures would be decoded twice.
    """
    return pictures.key_between(target + pictures.read_ahead, following)


class _Grid:
    """The moments, in ticks of a time base, rounded so that a frame whose time was rounded still belongs to its moment."""

    def __init__(self, start: Fraction, per_second: Fraction, base: Fraction):
        self._start, self._per_second, self._base = start, per_second, base

    def moment(self, number: int) -> Fraction:
        return self._start + number / self._per_second

    def ticks(self, number: int) -> int:
        return math.ceil(self.moment(number) / self._base - Fraction(1, 2))

    def following(self, pts: int) -> int:
        """The number of the first moment that no frame up to `pts` belongs to."""
        return math.floor(((pts + Fraction(1, 2)) * self._base - self._start) * self._per_second) + 1
