"""What happens from each frame of a film to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.keyframes.apart import apart
from services.keyframes.tiny import Planes, TinyFilm

Floats = NDArray[np.float32]
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Steps:
    """(n,) each, about the n frames of a film; of the first there is no change."""

    distance: Floats
    """How far the frame is from the one before: see `Apart.distance`."""
    still: Floats
    moved: Floats
    contrast: Floats
    """Standard deviation of the frame's brightness."""


def steps_of(film: TinyFilm) -> Steps:
    """Compare each frame with the one before."""
    distance, still, moved, contrast = (np.zeros(len(film), np.float32) for _ in range(4))
    for start in range(0, len(film), _AT_ONCE):
        # With the one before the first, which it is compared with.
        block = film.block(start - 1, start + _AT_ONCE)
        now = slice(max(start, 1), start + _AT_ONCE)
        change = apart(block[:-1], block[1:])
        distance[now], still[now], moved[now] = change.distance, change.still, change.moved
        contrast[start : start + _AT_ONCE] = block[-len(contrast[start : start + _AT_ONCE]) :, 0].std(axis=(1, 2))
    return Steps(distance, still, moved, contrast)


def distances(film: TinyFilm, lag: int) -> NDArray[np.float64]:
    """(n - lag,): how far apart two frames of a film are that lie `lag` places from each other, see `Apart.distance`."""
    count = max(len(film) - lag, 0)
    found = np.empty(count)
    for start in range(0, count, _AT_ONCE):
        block = film.block(start, min(start + _AT_ONCE, count) + lag)
        found[start : start + _AT_ONCE] = apart(block[:-lag], block[lag:]).distance
    return found


def each(film: TinyFilm) -> Iterator[Planes]:
    """All frames of a film, (3, 18, 32) each."""
    edges = [*range(0, len(film), _AT_ONCE), len(film)]
    for start, stop in pairwise(edges):
        yield from film.block(start, stop)


def contrast_of(film: TinyFilm) -> Floats:
    """(n,): standard deviation of the brightness of each frame."""
    film = film.without_bars()
    return np.array([frame[0].std() for frame in each(film)], dtype=np.float32)
