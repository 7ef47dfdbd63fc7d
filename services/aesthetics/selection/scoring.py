"""From looks to scores: the network gets batches while the next ones are decoded."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.aesthetics.nima.network import Network
from services.aesthetics.nima.scores import mean_and_spread
from services.aesthetics.params import ScoreParams
from services.aesthetics.reading.small_views import Look
from shared.video import map_ordered

HELD_BYTES = 48 * 1024 * 1024
"""How much memory the full pictures of one batch may take. Larger pictures make smaller batches, so memory does not grow with either."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """A picture with its scores, each from 1 to 10. `distribution`: (10,) float32, None without the network."""

    look: Look
    merit: float
    score: float
    std: float | None
    distribution: NDArray[np.float32] | None


def scored(looks: Iterable[Look], network: Network | None, params: ScoreParams) -> Iterator[Scored]:
    """Each look with its scores, in order. Close it to end early."""
    if network is None:
        yield from (_technical_only(look) for look in looks)
        return

    def rate(batch: list[Look]) -> list[Scored]:
        rated = network.rate([look.small for look in batch])
        return [_rated(look, distribution, params) for look, distribution in zip(batch, rated, strict=True)]

    with closing(map_ordered(rate, in_batches(looks, network.batch), workers=1, ahead=1)) as batches:
        for batch in batches:
            yield from batch


def in_batches(looks: Iterable[Look], size: int) -> Iterator[list[Look]]:
    """Lists of at most `size` looks, fewer where their pictures are large."""
    batch: list[Look] = []
    held = 0
    for look in looks:
        batch.append(look)
        held += look.held_bytes
        if len(batch) >= size or held >= HELD_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _technical_only(look: Look) -> Scored:
    score = look.technical.score
    return Scored(look=look, merit=score, score=score, std=None, distribution=None)


def _rated(look: Look, distribution: NDArray[np.float32], params: ScoreParams) -> Scored:
    mean, std = mean_and_spread(distribution)
    weight = params.technical_weight if params.scorer == "both" else 0.0
    merit = (1 - weight) * mean + weight * look.technical.score
    return Scored(look=look, merit=merit, score=mean, std=std, distribution=distribution)
