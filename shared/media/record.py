"""The record of a media file, as the API returns it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.operation import Kind

WITH_THUMBNAIL = frozenset({Kind.VIDEO, Kind.IMAGE, Kind.IMAGES})
"""Kinds that can have a thumbnail."""


class MediaUrls(BaseModel):
    """URLs of a medium, relative to the server."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    self_: str = Field(alias="self", description="The record.")
    content: str = Field(description="The file; ranges are served.")
    files: str | None = Field(description="List of its pictures; null unless it is a zip file of pictures.")
    thumbnail: str | None = Field(description="A small JPEG; null for kinds without a picture.")
    download: str = Field(description="The file as a download under its name.")


class MediaRecord(BaseModel):
    """A stored file and its properties."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="Id, used as an input of jobs.", examples=["01j8zq3v4x5k6m7n8p9q0r1s2t"])
    name: str = Field(description="Name of the uploaded file.", examples=["dance.mp4"])
    kind: Kind = Field(description="Kind of content, detected by probing the file.")
    content_type: str = Field(description="Media type of the file.", examples=["video/mp4"])
    bytes: int = Field(ge=0, description="Size of the file.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file; the content's ETag.")
    created_at: datetime
    expires_at: datetime | None = Field(description="Earliest deletion time; a stored job that refers to the file delays it.")
    listed: bool = Field(True, description="Whether lists contain it. Proxies, strips and previews are not listed.")
    source: str = Field(description="`upload`, `url`, or the id of the job that created it.", examples=["upload"])
    media: dict[str, Any] | None = Field(
        description="Properties of the content; for video: duration, size, exact frame rate, frames, codec, colour, audio."
    )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def urls(self) -> MediaUrls:
        base_url = f"/v1/media/{self.id}"
        thumbnail = f"{base_url}/thumbnail" if self.kind in WITH_THUMBNAIL else None
        files = f"{base_url}/files" if self.kind is Kind.IMAGES else None
        return MediaUrls(
            self_=base_url, content=f"{base_url}/content", files=files, thumbnail=thumbnail, download=f"{base_url}/content?download=1"
        )

    def dump(self) -> dict[str, Any]:
        """Return the record as JSON without `urls`, which follow from the id."""
        return self.model_dump(mode="json", exclude={"urls"})
