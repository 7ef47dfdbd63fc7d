"""Params that select a part of a clip."""

from pydantic import Field

from shared.operation import Params, form


class ClipPart(Params):
    """Params with the part of the source to use, and the output's quality."""

    quality: int = Field(
        70,
        ge=0,
        le=100,
        description="Picture quality of the output, from 0 (smallest file) to 100 (best).",
        title="Quality",
        json_schema_extra=form("more"),
    )
    start: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="Start of the part to use, in seconds of the source.",
        title="Start",
        json_schema_extra=form("more", unit="s", widget="time", role="part_start"),
    )
    duration: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Length of the part to use, in seconds. Empty: to the end.",
        title="Length",
        json_schema_extra=form("more", unit="s", role="part_length"),
    )

    @property
    def whole(self) -> bool:
        """Return whether the params select the whole clip."""
        return not self.start and self.duration is None
