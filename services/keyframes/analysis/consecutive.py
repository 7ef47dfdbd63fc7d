"""What happens from each frame of a film to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.frame_distance import apart
from services.keyframes.analysis.thumbnail_film import Planes, TinyFilm

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
    contrast[:1] = film.block(0, 1)[:, 0].std(axis=(1, 2))
    for start, block in _blocks(film, 1):
        now, change = slice(start + 1, start + len(block)), apart(block[:-1], block[1:])
        distance[now], still[now], moved[now] = change.distance, change.still, change.moved
        contrast[now] = block[1:, 0].std(axis=(1, 2))
    return Steps(distance, still, moved, contrast)


def distances(film: TinyFilm, lag: int) -> NDArray[np.float64]:
    """(n - lag,): how far apart two frames of a film are that lie `lag` places from each other, see `Apart.distance`."""
    parts = [apart(block[:-lag], block[lag:]).distance for _, block in _blocks(film, lag)]
    return np.concatenate([np.empty(0), *parts])


def _blocks(film: TinyFilm, lag: int) -> Iterator[tuple[int, Planes]]:
    """Places, and the frames from there on, with as many more as it takes to compare each with the one `lag` places on."""
    count = max(len(film) - lag, 0)
    for start in range(0, count, _AT_ONCE):
        yield start, film.block(start, min(start + _AT_ONCE, count) + lag)


def each(film: TinyFilm) -> Iterator[Planes]:
    """All frames of a film, (3, 18, 32) each."""
    edges = [*range(0, len(film), _AT_ONCE), len(film)]
    for start, stop in pairwise(edges):
        yield from film.block(start, stop)


def contrast_of(film: TinyFilm) -> Floats:
    """(n,): standard deviation of the brightness of each frame."""
    film = film.without_bars()
    return np.array([frame[0].std() for frame in each(film)], dtype=np.float32)
