"""The very frame of a cut of which is known only between which two frames it lies."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from services.keyframes.apart import apart
from services.keyframes.measure import Measured
from services.keyframes.small import shrink
from services.keyframes.tiny import HEIGHT, WIDTH, tiny
from services.keyframes.transition import Transition
from shared.video import read_frames

LEAST = 0.3
"""A cut less likely than this stays where it is: nobody is told of it who does not ask."""


def exact_cuts(video: Path, measured: Measured, found: Sequence[Transition]) -> list[Transition]:
    """The same transitions, each hard cut at the largest of the changes between the frames next to it that were looked at.

    What lies between those is decoded now, and only that (and what it refers to).
    """
    looked_at = measured.film.frames
    exact = []
    for one in found:
        place = int(np.searchsorted(looked_at, one.start))
        before = int(looked_at[place - 1]) if place else 0
        if one.kind == "cut" and one.confidence >= LEAST and one.start - before > 1:
            at = _largest_change(video, measured, before, one.start)
            exact.append(replace(one, start=at, end=at))
        else:
            exact.append(one)
    return exact


def _largest_change(video: Path, measured: Measured, first: int, last: int) -> int:
    base = measured.time_base
    start = int(measured.pts[first]) * base
    # Up to the middle of the last frame's first tick.
    duration = (int(measured.pts[last]) * base - start) + base * Fraction(1, 1)
    with closing(read_frames(video, start=start, duration=duration, prefetch=2)) as frames:
        small = [tiny(shrink(frame, (2 * WIDTH, 2 * HEIGHT))) for frame in frames]
    if len(small) != last - first + 1:
        return last
    changes = [apart(a, b).distance for a, b in pairwise(small)]
    return first + 1 + int(np.argmax(changes))
