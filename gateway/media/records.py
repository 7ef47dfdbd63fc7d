"""Media over HTTP: upload, fetch from a URL, list, read, delete."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from weakref import WeakValueDictionary

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParam
from pydantic import BaseModel, ConfigDict, Field

from gateway.media.content import content_response, file_response
from shared.errors import Conflict, Invalid, NotFound, TooLarge, UnknownMedia
from shared.http.json_route import JsonRoute
from shared.http.problems import problems
from shared.http.service import SAMPLE_ID
from shared.media.disk import on_disk
from shared.media.ingest import Probe, ingest
from shared.media.multipart import Part, read_parts
from shared.media.record import WITH_THUMBNAIL, MediaRecord
from shared.media.store import MediaStore
from shared.net.download import checked_client, fetch
from shared.operation import Kind
from shared.settings import Settings

MediaId = Annotated[str, PathParam(description="A medium's id.", examples=[SAMPLE_ID], openapi_examples={"sample": {"value": SAMPLE_ID}})]

FORM_BYTES = 64 * 1024
"""What a form with one file may be longer than the file."""

Thumbnail = Callable[[Path, Path], Awaitable[None]]
"""Writes a small JPEG of the first file's picture to the second path, in a process of its own."""

InUse = Callable[[str, str], Awaitable[str | None]]
"""Owner and media id -> the id of a job that has not ended and reads it, or None."""


@dataclass(frozen=True, kw_only=True)
class MediaServices:
    """What the media and upload routes stand on."""

    store: MediaStore
    probe: Probe
    thumbnail: Thumbnail
    in_use: InUse
    settings: Settings


class FromUrl(BaseModel):
    """A file to fetch."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        description="http:// or https://, at a public address. At most five redirects are followed.",
        examples=["https://example.com/clip.mp4"],
    )
    name: str | None = Field(None, description="Name to keep it under; null: the one the server gives it.", examples=["clip.mp4"])


class MediaPage(BaseModel):
    """Some media, newest first."""

    items: list[MediaRecord]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last one.")


REFUSED = problems(
    _408="Nothing came for a while",
    _413="Larger than this server takes (bytes, pixels, duration, streams); the limit is named",
    _415="Not a kind of file that this server opens",
    _422="Empty, damaged, or nothing in it can be decoded",
    _503="The server's disk is full",
)
UNKNOWN = problems(_404="There is no such media, or it is somebody else's")
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
BYTES: dict[str, Any] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
RANGED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": BYTES},
    206: {"description": "The range that was asked for", "content": BYTES},
    304: {"description": "Unchanged since the ETag in If-None-Match"},
}


def media_routes(services: MediaServices) -> APIRouter:
    """`/v1/media` and all under it, for the owner in `request.state.owner`."""
    router = APIRouter(prefix="/v1/media", tags=["media"], route_class=JsonRoute)
    store, settings = services.store, services.settings
    thumbnails: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
    take = partial(ingest, store=store, probe=services.probe, max_bytes=settings.max_upload_bytes)

    @router.post("", status_code=201, summary="Upload a file", responses=REFUSED, openapi_extra=FILE_FORM)
    async def upload(request: Request, response: Response) -> MediaRecord:
        """A video or an image, as the field `file` of a form. What it is, is found by looking into it, not by its name."""
        check_length(request, settings.max_upload_bytes + FORM_BYTES)
        owner, record = owner_of(request), None
        try:
            async with aclosing(read_parts(request)) as parts:
                async for part in parts:
                    if record is not None:
                        raise Invalid(f"After the file there is another part, {part.field!r}: send one file in each request.")
                    record = await take(_only_file(part).chunks, owner=owner, name=part.filename or "", source="upload")
        except BaseException:
            if record is not None:
                with suppress(UnknownMedia):
                    await on_disk(store.delete, owner, record.id)
            raise
        if record is None:
            raise _no_file()
        return _created(record, response)

    @router.post("/from-url", status_code=201, summary="Fetch a file from a URL", responses=REFUSED)
    async def from_url(body: FromUrl, request: Request, response: Response) -> MediaRecord:
        """The server fetches it. Addresses that are not public are refused, also behind redirects."""
        limit_s, limit_bytes = settings.url_timeout_s, settings.max_upload_bytes
        async with (
            checked_client(settings) as client,
            fetch(client, body.url, timeout_s=limit_s, max_bytes=limit_bytes) as (name, chunks),
        ):
            record = await take(chunks, owner=owner_of(request), name=body.name or name, source="url")
        return _created(record, response)

    @router.get("", summary="List media, newest first", responses=problems(_422="The cursor or the limit is wrong"))
    async def list_media(
        request: Request,
        kind: Annotated[Kind | None, Query(description="Only media of this kind.")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="Most items in one answer.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    ) -> MediaPage:
        items, next_cursor = await on_disk(store.list, owner_of(request), kind=kind, limit=limit, cursor=cursor)
        return MediaPage(items=items, next_cursor=next_cursor)

    @router.get("/{media_id}", summary="What is known about a medium", responses=UNKNOWN)
    async def get_media(media_id: MediaId, request: Request) -> MediaRecord:
        return await on_disk(store.get, owner_of(request), media_id)

    ranged = RANGED | UNKNOWN | problems(_416="The range lies outside the file")

    @router.get("/{media_id}/content", summary="The file", responses=ranged, response_class=Response)
    @router.head("/{media_id}/content", include_in_schema=False)
    async def content(
        media_id: MediaId, request: Request, download: Annotated[bool, Query(description="To be saved rather than shown.")] = False
    ) -> Response:
        """The bytes as they were uploaded or made. Ranges, If-None-Match and If-Range are understood; the ETag is the SHA-256."""
        owner = owner_of(request)
        record, path = await on_disk(store.get, owner, media_id), await on_disk(store.content_path, owner, media_id)
        return await content_response(request, record, path, download=download)

    @router.get("/{media_id}/thumbnail", summary="A small picture of it", responses=UNKNOWN, response_class=Response)
    @router.head("/{media_id}/thumbnail", include_in_schema=False)
    async def thumbnail(media_id: MediaId, request: Request) -> Response:
        """A JPEG, made when it is first asked for. Videos and images have one."""
        owner = owner_of(request)
        record = await on_disk(store.get, owner, media_id)
        if record.kind not in WITH_THUMBNAIL:
            raise NotFound(f"Media of kind {record.kind.value!r} have no thumbnail.")
        path = store.thumbnail_path(owner, media_id)
        one_maker = thumbnails.setdefault(media_id, asyncio.Lock())
        async with one_maker:
            if not path.exists():
                with store.incoming() as incoming:
                    await services.thumbnail(store.content_path(owner, media_id), incoming.content)
                    await on_disk(store.keep_thumbnail, owner, media_id, incoming.content)
        headers = {"ETag": f'"{record.sha256}-thumbnail"', "Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
        return await file_response(request, path, media_type="image/jpeg", headers=headers)

    @router.delete(
        "/{media_id}",
        status_code=204,
        summary="Delete a medium",
        responses=UNKNOWN | problems(_409="A job that has not ended reads it"),
    )
    async def delete_media(media_id: MediaId, request: Request) -> None:
        owner = owner_of(request)
        await on_disk(store.get, owner, media_id)
        if job_id := await services.in_use(owner, media_id):
            raise Conflict(f"The job {job_id} has not ended and reads this media: wait for it, or cancel it first.")
        await on_disk(store.delete, owner, media_id)

    return router


def owner_of(request: Request) -> str:
    """Whose media a request is about; set by the app's guard."""
    owner: str = request.state.owner
    return owner


def check_length(request: Request, max_bytes: int) -> None:
    """Raise TooLarge where the request says that its body is longer than `max_bytes`."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise TooLarge(f"{length} bytes are announced; this server takes files of at most {max_bytes} bytes.")


def _created(record: MediaRecord, response: Response) -> MediaRecord:
    response.headers["Location"] = record.urls.self_
    return record


def _only_file(part: Part) -> Part:
    if part.field != "file" or part.filename is None:
        what = "file" if part.filename is not None else "value"
        detail = f"The form has a {what} in the field {part.field!r}; the file belongs into the field 'file'."
        raise Invalid(detail, errors=[{"field": part.field, "detail": "Unknown field"}])
    return part


def _no_file() -> Invalid:
    return Invalid("The form has no field 'file' with a file in it.", errors=[{"field": "file", "detail": "Field required"}])
