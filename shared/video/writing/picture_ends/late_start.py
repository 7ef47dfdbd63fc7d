"""Pictures that fill the time before a late first picture."""

from dataclasses import dataclass
from fractions import Fraction

_MOST_SHIFT_S = Fraction(1, 50)
"""Longest shift, in seconds, of the pictures against the sound. Viewers do not notice 20 ms."""
_LONGEST_S = 10
"""Longest time, in seconds, that repeats of the first picture fill."""


@dataclass(frozen=True, slots=True)
class LateStart:
    """A plan for a late first picture: repeats, and a shift of pictures.

    `repeats`: rising times from 0 on at which the first picture is shown before its own time. `shift`: ticks by which all pictures move
    towards 0; negative away from it.
    """

    repeats: tuple[int, ...] = ()
    shift: int = 0


def late_start(pts: int, step: Fraction, time_base: Fraction) -> LateStart | None:
    """Plan how to show a late first picture from time 0 on.

    The first picture is repeated on the grid of the others, and all are moved onto the grid that begins at 0. `pts`: time of the first
    picture, and `step`: length of a picture, both in units of `time_base` seconds. None if the move would be longer than 20 ms, or the
    picture is more than 10 s late.
    """
    count = round(pts / step)
    shift = pts - round(count * step)
    if abs(shift * time_base) > _MOST_SHIFT_S or pts * time_base > _LONGEST_S:
        return None
    return LateStart(tuple(round(number * step) for number in range(count)), shift)
