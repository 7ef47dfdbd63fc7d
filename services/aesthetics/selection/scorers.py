"""Table of scorers, which rank pictures."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from shared.choices import OneOf
from shared.operation import Params, form


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A way to rank pictures, as a row of `SCORERS`."""

    name: str
    label: str
    """Label in a form."""
    description: str
    network: bool
    """Whether the scorer needs the network."""
    technical: bool
    """Whether the scorer uses technical quality."""


SCORERS = {
    row.name: row
    for row in (
        Scorer(
            name="nima",
            label="Taste",
            description="the predicted rating by people, from a network whose weights must be installed",
            network=True,
            technical=False,
        ),
        Scorer(
            name="technical",
            label="Technical quality",
            description="sharpness, exposure, motion blur, noise and blank frames, without any weights",
            network=False,
            technical=True,
        ),
        Scorer(
            name="both",
            label="Both",
            description="both scores combined, because the network alone hardly distinguishes neighbouring frames",
            network=True,
            technical=True,
        ),
    )
}
"""Name -> scorer, in the order of the API reference."""

ScorerName = Annotated[str, OneOf(SCORERS)]


class ScorerParams(Params):
    """Params that choose how pictures are ranked."""

    scorer: ScorerName = Field(
        "both",
        description="Score that ranks the pictures. " + "; ".join(f"`{row.name}`: {row.description}" for row in SCORERS.values()) + ".",
        title="Rank by",
        json_schema_extra=form("basics", labels={row.name: row.label for row in SCORERS.values()}),
    )
    technical_weight: float = Field(
        0.4,
        ge=0,
        le=1,
        description="Weight of the technical score with `scorer: both`; the network's score has the remaining weight.",
        title="Technical share",
        json_schema_extra=form("more"),
    )

    @property
    def uses_network(self) -> bool:
        """Whether the scorer needs the NIMA network."""
        return SCORERS[self.scorer].network

    @property
    def technical_share(self) -> float:
        """Weight of the technical score in the ranking, 0 to 1."""
        row = SCORERS[self.scorer]
        return (self.technical_weight if row.network else 1.0) if row.technical else 0.0
