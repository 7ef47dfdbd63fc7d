"""What the API says about a medium."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.operation import Kind

WITH_THUMBNAIL = frozenset({Kind.VIDEO, Kind.IMAGE, Kind.IMAGES})
"""The kinds a thumbnail can be made of."""


class MediaUrls(BaseModel):
    """Where a medium is found, relative to the server."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    self_: str = Field(alias="self", description="The record.")
    content: str = Field(description="The file; ranges are served.")
    files: str | None = Field(description="The list of the pictures in it; null where it is not a zip file of pictures.")
    thumbnail: str | None = Field(description="A small JPEG; null where there is nothing to show.")
    download: str = Field(description="The file, to be saved under its name.")


class MediaRecord(BaseModel):
    """A file that the server keeps, and what is known about it."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="What inputs of jobs name it by.", examples=["01j8zq3v4x5k6m7n8p9q0r1s2t"])
    name: str = Field(description="The file's name as it was given.", examples=["dance.mp4"])
    kind: Kind = Field(description="What the file holds, found by looking into it.")
    content_type: str = Field(description="Media type of the file.", examples=["video/mp4"])
    bytes: int = Field(ge=0, description="Size of the file.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file; the content's ETag.")
    created_at: datetime
    expires_at: datetime | None = Field(description="When it may be deleted, if no remembered job refers to it.")
    source: str = Field(description="`upload`, `url`, or the id of the job that made it.", examples=["upload"])
    media: dict[str, Any] | None = Field(
        description="What was found in the file: for video its duration, size, exact frame rate, frames, codec, colour, audio."
    )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def urls(self) -> MediaUrls:
        here = f"/v1/media/{self.id}"
        thumbnail = f"{here}/thumbnail" if self.kind in WITH_THUMBNAIL else None
        files = f"{here}/files" if self.kind is Kind.IMAGES else None
        return MediaUrls(self_=here, content=f"{here}/content", files=files, thumbnail=thumbnail, download=f"{here}/content?download=1")
