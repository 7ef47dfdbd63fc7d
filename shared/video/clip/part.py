"""Parameters for the part of a clip that an operation uses."""

from pydantic import Field

from shared.operation import Params


class ClipPart(Params):
    """The part of the source to use, and the quality of the output."""

    quality: int = Field(70, ge=0, le=100, description="Picture quality of the output, from 0 (smallest file) to 100 (best).")
    start: float = Field(0.0, ge=0, le=1e6, description="Start of the part to use, in seconds of the source.")
    duration: float | None = Field(None, gt=0, le=1e6, description="Length of the part to use, in seconds. Empty: up to the end.")

    @property
    def whole(self) -> bool:
        """Return whether the whole clip is used."""
        return not self.start and self.duration is None
