"""Changes between consecutive thumbnails of a film.

A film holds the scanned frames of a video, reduced to 32x18 pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.frame_distance import frame_distance
from services.keyframes.analysis.comparison.structure_change import PLANE_WEIGHTS, structure_change
from services.keyframes.analysis.thumbnail_film import Planes, ThumbnailFilm

Floats = NDArray[np.float32]
_BLOCK = 256  # number of thumbnails in memory at a time
PLAIN = 2.0, 1.5, 1.5
"""Largest standard deviation of Y, U and V in a plain picture, in levels."""


@dataclass(frozen=True, slots=True)
class FrameChanges:
    """Changes of each thumbnail of a film from the previous thumbnail.

    Every array has shape (n,) for the n frames of the film. The changes of the first frame are 0.
    """

    distance: Floats
    """`FrameDistance.total` from the previous frame to this one."""
    in_place: Floats
    """`FrameDistance.in_place` from the previous frame to this one."""
    aligned: Floats
    """`FrameDistance.aligned` from the previous frame to this one."""
    contrast: Floats
    """Standard deviation of the frame's brightness."""
    structure: Floats
    """`structure_change` from the previous frame to this one, in levels."""
    texture: Floats
    """Contrast of the frame in brightness and colour. `structure` is divided by it to compare frames."""
    plain: NDArray[np.bool_]
    """Whether the frame is a plain picture, of one colour."""


def frame_changes(film: ThumbnailFilm) -> FrameChanges:
    """Compare each frame of a film with the previous frame."""
    distance, in_place, aligned, structure = (np.zeros(len(film), np.float32) for _ in range(4))
    spread = np.zeros((len(film), 3), np.float32)
    for start, block in _overlapping_blocks(film, 0):
        spread[start : start + len(block)] = block.std(axis=(2, 3))
    for start, block in _overlapping_blocks(film, 1):
        places, change = slice(start + 1, start + len(block)), frame_distance(block[:-1], block[1:])
        distance[places], in_place[places], aligned[places] = change.total, change.in_place, change.aligned
        structure[places] = structure_change(block[:-1], block[1:])
    return FrameChanges(
        distance, in_place, aligned, spread[:, 0], structure, spread @ PLANE_WEIGHTS, np.asarray((spread < PLAIN).all(axis=1))
    )


def is_plain(thumbnails: Planes) -> NDArray[np.bool_]:
    """Return whether each of n thumbnails is plain: nearly of one colour.

    `thumbnails`: (n, 3, 18, 32). The result is (n,).
    """
    return np.asarray((thumbnails.std(axis=(2, 3)) < PLAIN).all(axis=1))


def lagged_distances(film: ThumbnailFilm, lag: int) -> NDArray[np.float64]:
    """Measure the distance from each frame to the frame `lag` frames later.

    Returns `FrameDistance.total` of each such pair, (n - lag,).
    """
    parts = [frame_distance(block[:-lag], block[lag:]).total for _, block in _overlapping_blocks(film, lag)]
    return np.concatenate([np.empty(0), *parts])


def _overlapping_blocks(film: ThumbnailFilm, lag: int) -> Iterator[tuple[int, Planes]]:
    """Yield overlapping blocks of a film, each with the index of its first frame.

    A block repeats the first `lag` frames of the next block.
    """
    count = max(len(film) - lag, 0)
    for start in range(0, count, _BLOCK):
        yield start, film.block(start, min(start + _BLOCK, count) + lag)


def contrasts(film: ThumbnailFilm) -> Floats:
    """Return the contrast of each frame, (n,).

    Contrast is the standard deviation of brightness. Black bars are left out.
    """
    film = film.without_bars()
    edges = [*range(0, len(film), _BLOCK), len(film)]
    blocks = (film.block(start, stop) for start, stop in pairwise(edges))
    return np.array([frame[0].std() for block in blocks for frame in block], dtype=np.float32)
