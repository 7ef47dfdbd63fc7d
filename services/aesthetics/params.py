"""Params, outputs and result shared by `best-frames` and `top-images`."""

from typing import Any, Self

from pydantic import BaseModel, Field

from services.aesthetics.nima.backends import NetworkParams
from services.aesthetics.nima.models import NIMA_MODELS
from services.aesthetics.nima.network import ModelUsed, Network
from services.aesthetics.output.items import Item
from services.aesthetics.reading.picture_formats import PictureParams
from services.aesthetics.reading.sampling import SampleParams
from services.aesthetics.reading.sources import MAX_SOURCES, SourceReport, Sources
from services.aesthetics.selection.scorers import ScorerParams
from shared.models.folder import install_command
from shared.operation import Input, Kind, form

VIDEOS = Input(kind=Kind.VIDEO, many=True, optional=True, max_items=MAX_SOURCES, title="Videos", description="One video, or several.")
PICTURES = Input(
    kind=Kind.IMAGE,
    also=Kind.IMAGES,
    many=True,
    optional=True,
    max_items=MAX_SOURCES,
    title="Pictures",
    description="Pictures, or zip files of pictures.",
)
CHOSEN_OUTPUTS = {"images": Kind.IMAGES, "scores": Kind.ARCHIVE, "sheet": Kind.IMAGE}


class ScoreParams(NetworkParams, ScorerParams, SampleParams, PictureParams):
    """Params for reading, scoring and writing pictures."""

    diversity: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Minimum difference between two chosen pictures. Of pictures that differ less, only the best is kept. 0 keeps all, 0.1 "
        "drops pictures that look the same, 0.7 keeps one picture per view; 1 is the difference of unrelated pictures.",
        title="Diversity",
        json_schema_extra=form("basics"),
    )
    contact_sheet: bool = Field(
        True, description="Draw the chosen pictures on one sheet.", title="Contact sheet", json_schema_extra=form("more")
    )

    @property
    def lanczos(self) -> bool:
        """Whether to downscale with a Lanczos filter, as PerfectFrameAI does."""
        return self.preprocessing == "unit"


class ChosenResult(BaseModel):
    """Result with the chosen pictures and a report on each input."""

    items: list[Item] = Field(description="The chosen pictures, file by file, in the order of time.")
    sources: list[SourceReport] = Field(description="Outcome of each input file.")
    looked_at: int = Field(description="Number of pictures examined.")
    left_out: int = Field(description="Number of pictures dropped because they look like a better picture (`diversity`).")
    model: ModelUsed | None = Field(description="Network that rated the pictures; null if none was used.")
    scorer: str = Field(description="Score by which pictures were ranked.")

    @classmethod
    def of(cls, items: list[Item], left_out: int, sources: Sources, network: Network | None, params: ScoreParams, **more: Any) -> Self:
        """Create the result of a job.

        `left_out`: number of near-duplicates. `more`: fields of a subclass.
        """
        return cls(
            items=items,
            sources=sources.reports,
            looked_at=sources.looked_at,
            left_out=left_out,
            model=network.model_used if network else None,
            scorer=params.scorer,
            **more,
        )


def missing_weights(params: ScoreParams) -> str | None:
    """Return the command that installs the network.

    Returns None if it is installed or not used.
    """
    return install_command(NIMA_MODELS[params.model].catalog_name) if params.uses_network else None
