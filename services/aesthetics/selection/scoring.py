"""Scoring of views by NIMA and by technical quality.

A view is a small copy of a picture. The network rates one batch of views while the next one is decoded.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.aesthetics.nima.network import Network
from services.aesthetics.nima.scores import mean_and_spread
from services.aesthetics.reading.small_views import View
from shared.video import map_ordered

HELD_BYTES = 48 * 1024 * 1024
"""Maximum memory of the full-size frames of one batch, in bytes. Larger frames make smaller batches."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredView:
    """A view with its scores from 1 to 10."""

    view: View
    merit: float
    """Score for the ranking."""
    score: float
    """Mean of `distribution`; the technical score without the network."""
    std: float | None
    """Standard deviation of `distribution`; None without the network."""
    distribution: NDArray[np.float32] | None
    """Probabilities of the ratings 1 to 10, (10,); None without the network."""


def scored(views: Iterable[View], network: Network | None, *, technical_share: float) -> Generator[ScoredView, None, None]:
    """Score views in batches, and yield each with its scores, in order.

    The merit is the weighted mean of the network's score and the technical score. `technical_share`: weight of the technical score, 0 to 1.
    Without a network, the merit is the technical score. Close the generator to end early.
    """
    if network is None:
        yield from (_technical_only(view) for view in views)
        return

    def rate(batch: list[View]) -> list[ScoredView]:
        distributions = network.rate([view.small for view in batch])
        return [_rated(view, distribution, technical_share) for view, distribution in zip(batch, distributions, strict=True)]

    with closing(map_ordered(rate, in_batches(views, network.batch), workers=1, ahead=1)) as batches:
        for batch in batches:
            yield from batch


def in_batches(views: Iterable[View], size: int) -> Iterator[list[View]]:
    """Split views into batches of at most `size`.

    Batches with large frames are shorter, to keep within HELD_BYTES.
    """
    batch: list[View] = []
    held_bytes = 0
    for view in views:
        batch.append(view)
        held_bytes += view.held_bytes
        if len(batch) >= size or held_bytes >= HELD_BYTES:
            yield batch
            batch, held_bytes = [], 0
    if batch:
        yield batch


def _technical_only(view: View) -> ScoredView:
    score = view.technical.score
    return ScoredView(view=view, merit=score, score=score, std=None, distribution=None)


def _rated(view: View, distribution: NDArray[np.float32], technical_share: float) -> ScoredView:
    mean, std = mean_and_spread(distribution)
    merit = (1 - technical_share) * mean + technical_share * view.technical.score
    return ScoredView(view=view, merit=merit, score=mean, std=std, distribution=distribution)
