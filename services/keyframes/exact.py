"""The very frame of a cut of which is known only between which two frames it lies."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from services.keyframes.apart import apart
from services.keyframes.hard_cuts import among, sureness
from services.keyframes.measure import Measured
from services.keyframes.small import shrink
from services.keyframes.tiny import HEIGHT, WIDTH, Planes, tiny
from services.keyframes.transition import Transition
from shared.video import read_frames

LEAST = 0.3
"""A cut less likely than this stays where it is: nobody is told of it who does not ask."""


def exact_cuts(video: Path, measured: Measured, found: Sequence[Transition]) -> list[Transition]:
    """The same transitions, each hard cut at the largest of the changes between the frames next to it that were looked at.

    What lies between those is decoded now, and only that (and what it refers to). Where the change turns out to be spread over several
    frames, as that of a whip pan is, the cut becomes as unlikely as the largest of them alone.
    """
    looked_at = measured.film.frames
    exact = []
    for one in found:
        place = int(np.searchsorted(looked_at, one.start))
        before = int(looked_at[place - 1]) if place else 0
        doubtful = one.kind == "cut" and one.confidence >= LEAST and one.start - before > 1
        exact.append(settled(one, before, _between(video, measured, before, one.start)) if doubtful else one)
    return exact


def settled(cut: Transition, first: int, pictures: Sequence[Planes]) -> Transition:
    """A cut that lies among frames of which `first` is the number of the first; `pictures` (3, 18, 32) each has them all."""
    if len(pictures) != cut.start - first + 1:
        return cut
    film = np.stack(pictures)
    changes = apart(film[:-1], film[1:]).distance.tolist()
    largest = int(np.argmax(changes))
    here = changes.pop(largest)
    at = first + 1 + largest
    return replace(cut, start=at, end=at, confidence=min(cut.confidence, sureness(among(here, max(changes)))))


def _between(video: Path, measured: Measured, first: int, last: int) -> list[Planes]:
    base = measured.time_base
    start = int(measured.pts[first]) * base
    # Up to the tick after the last frame's first, so that it is among them.
    duration = (int(measured.pts[last]) + 1) * base - start
    with closing(read_frames(video, start=start, duration=duration, prefetch=2)) as frames:
        return [tiny(shrink(frame, (2 * WIDTH, 2 * HEIGHT))) for frame in frames]
