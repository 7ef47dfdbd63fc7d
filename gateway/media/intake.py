"""Routes that add media: from an uploaded file, or from a URL."""

from contextlib import aclosing, suppress
from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.media.requests import REFUSED, check_length, owner_of
from gateway.media.services import MediaServices
from shared.errors import Invalid, UnknownMedia
from shared.http.json_route import JsonRoute
from shared.http.operations.known_query import refuse_unknown_query
from shared.media.disk import on_disk
from shared.media.ingestion import SizeBounds, ingest
from shared.media.multipart import Part, read_parts, stated_bytes
from shared.media.record import MediaRecord
from shared.net.download import checked_client, fetch

FORM_BYTES = 64 * 1024
"""Most bytes that a multipart form adds to the size of the uploaded file."""

FILE_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
            }
        },
    }
}


class FromUrl(BaseModel):
    """Body of `POST /v1/media/from-url`."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        description="An http:// or https:// URL at a public address. At most five redirects are followed.",
        examples=["https://example.com/clip.mp4"],
    )
    name: str | None = Field(None, description="Name of the file. null: the name given by the remote server.", examples=["clip.mp4"])


def intake_routes(services: MediaServices) -> APIRouter:
    """Return the routes that add media from an upload or a URL."""
    router = APIRouter(prefix="/v1/media", tags=["media"], route_class=JsonRoute, dependencies=[Depends(refuse_unknown_query)])
    settings = services.settings
    store_file = partial(ingest, store=services.store, probe=services.probe, max_bytes=settings.max_upload_bytes)

    @router.post("", status_code=201, summary="Upload a file", responses=REFUSED, openapi_extra=FILE_FORM)
    async def upload(request: Request, response: Response) -> MediaRecord:
        """Accept a video, an image or a zip of images.

        The form field is `file`.

        The kind is detected from the file's content, not from its name.
        """
        check_length(request, settings.max_upload_bytes + FORM_BYTES)
        length = stated_bytes(request)
        bounds = SizeBounds(least=max(0, (length or 0) - FORM_BYTES), most=length)
        owner, record = owner_of(request), None
        try:
            async with aclosing(read_parts(request)) as parts:
                async for part in parts:
                    if record is not None:
                        raise Invalid(f"The form has another part after the file, {part.field!r}: send one file per request.")
                    record = await store_file(
                        _only_file(part).chunks, owner=owner, name=part.filename or "", source="upload", bounds=bounds
                    )
        except BaseException:
            if record is not None:
                with suppress(UnknownMedia):
                    await on_disk(services.store.delete, owner, record.id)
            raise
        if record is None:
            raise Invalid.field("file", "is required", "The form has no file: send one in the field 'file'.")
        return _created(record, response)

    @router.post("/from-url", status_code=201, summary="Fetch a file from a URL", responses=REFUSED)
    async def from_url(body: FromUrl, request: Request, response: Response) -> MediaRecord:
        """Download a file from a URL into the media store.

        Addresses that are not public are refused, also behind redirects.
        """
        limit_s, limit_bytes = settings.url_timeout_s, settings.max_upload_bytes
        async with (
            checked_client(settings) as client,
            fetch(client, body.url, timeout_s=limit_s, max_bytes=limit_bytes) as (name, chunks),
        ):
            record = await store_file(chunks, owner=owner_of(request), name=body.name or name, source="url")
        return _created(record, response)

    return router


def _created(record: MediaRecord, response: Response) -> MediaRecord:
    response.headers["Location"] = record.urls.self_
    return record


def _only_file(part: Part) -> Part:
    if part.field != "file" or part.filename is None:
        content = "file" if part.filename is not None else "value"
        detail = f"The form has a {content} in the field {part.field!r}. Send the file in the field 'file'."
        raise Invalid.field(part.field, "unknown field", detail)
    return part
