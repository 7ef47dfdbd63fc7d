"""Evenly spaced times for packets whose fragments state wrong times.

FFmpeg's writer of MP4 with a fragment for each frame does not know a frame's length yet, and so puts many frames one step too late: two
frames get the same time, and the distance to the time of display is lost.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

_FEW = 8
_LATE = 1.1
"""Maximum range, in steps, of the differences between stated and evenly spaced times."""


@dataclass(frozen=True, slots=True)
class EvenTimes:
    """Evenly spaced times of a track's packets, in ticks of the track.

    `start`: decoding time of the first packet; the file states `stated` for it. `step`: distance between packets. `shown`: when the first
    packet is shown.
    """

    start: int
    step: Fraction
    shown: int
    stated: int

    def decoding_time(self, number: int) -> int:
        """Return the decoding time of packet `number`."""
        return self.start + round(number * self.step)

    def display_times(self, count: int) -> "array[int]":
        """Return the display times of the track's first `count` pictures."""
        return array("q", (self.shown + round(number * self.step) for number in range(count)))


def even_times(stamps: Sequence[int], shown: int) -> EvenTimes | None:
    """Find the evenly spaced times of packets whose decoding times repeat, or return None.

    None if no time repeats, or no even spacing explains the times. `stamps`: decoding times in file order. `shown`: the time at which the
    first packet is shown.
    """
    times = np.asarray(stamps, np.int64)
    steps = np.diff(times)
    if len(times) < _FEW or (steps < 0).any() or not (steps == 0).any():
        return None
    if not steps.any():
        return None
    values, counts = np.unique(steps[steps > 0], return_counts=True)
    half = len(times) // 2
    long_step = Fraction(int(np.median(times[half:] - times[: len(times) - half])), half)
    for step in (Fraction(int(values[counts.argmax()])), long_step):
        if step <= 0:
            continue
        late = times - np.arange(len(times)) * float(step)
        # The first two times are ignored: they may be right, and all others moved later so that none is negative.
        start = float(late[2:].min())
        if float(late[2:].max()) - start <= _LATE * step:
            begins = round(start)
            return EvenTimes(begins, step, shown if shown > int(times[0]) else begins, int(times[0]))
    return None
