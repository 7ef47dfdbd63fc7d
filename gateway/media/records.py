"""Routes that list, find, read, rename and delete media."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParam
from pydantic import BaseModel, ConfigDict, Field

from gateway.media.requests import UNKNOWN, MediaId, owner_of
from gateway.media.services import MediaServices
from gateway.routing.known_query import refuse_unknown_query
from shared.errors import Conflict, UnknownMedia
from shared.http.json_route import JsonRoute
from shared.http.problems import problems
from shared.media.disk import on_disk
from shared.media.record import MediaRecord
from shared.operation import Kind
from shared.sample_ids import SAMPLES

EXPIRES_SOON = timedelta(hours=1)


class Renamed(BaseModel):
    """Body of a request that renames a medium."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255, description="New name of the file.", examples=["dance.mp4"])


class MediaPage(BaseModel):
    """One page of the list of media, newest first."""

    items: list[MediaRecord]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last page.")


def record_routes(services: MediaServices) -> APIRouter:
    """Return the routes that list, find, read, rename and delete media."""
    router = APIRouter(prefix="/v1/media", tags=["media"], route_class=JsonRoute, dependencies=[Depends(refuse_unknown_query)])
    store = services.store

    @router.get("", name="list", summary="List media, newest first", responses=problems(_422="Invalid cursor or limit"))
    async def list_media(
        request: Request,
        kind: Annotated[Kind | None, Query(description="Only media of this kind.")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="Maximum number of items.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the previous page.")] = None,
    ) -> MediaPage:
        items, next_cursor = await on_disk(store.list, owner_of(request), kind=kind, limit=limit, cursor=cursor)
        return MediaPage(items=items, next_cursor=next_cursor)

    @router.get(
        "/by-hash/{sha256}", summary="Find a medium by its content", responses=problems(_404="You have no medium with this content")
    )
    @router.head("/by-hash/{sha256}", include_in_schema=False)
    async def by_hash(
        request: Request, sha256: Annotated[str, PathParam(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file, in lower case.")]
    ) -> MediaRecord:
        """Return the newest medium whose file has this SHA-256.

        Clients then need not send the file again. Only your own media are found, and none that expires within the hour.
        """
        record = await on_disk(store.by_hash, owner_of(request), sha256)
        if record.expires_at is not None and record.expires_at < datetime.now(UTC) + EXPIRES_SOON:
            raise UnknownMedia("The medium with this content expires soon: send the file again.")
        return record

    @router.get("/{media_id}", name="read", summary="Read the record of a medium", responses=UNKNOWN)
    async def get_media(media_id: MediaId, request: Request) -> MediaRecord:
        return await on_disk(store.get, owner_of(request), media_id)

    @router.patch("/{media_id}", summary="Rename a medium", responses=UNKNOWN | problems(_409="It is a sample"))
    async def rename(media_id: MediaId, body: Renamed, request: Request) -> MediaRecord:
        if media_id in SAMPLES.values():
            raise Conflict("This is a sample that the examples use: it cannot be renamed.")
        return await on_disk(store.rename, owner_of(request), media_id, body.name)

    @router.delete(
        "/{media_id}",
        name="delete",
        status_code=204,
        summary="Delete a medium",
        responses=UNKNOWN | problems(_409="An unfinished job reads it, or it is a sample"),
    )
    async def delete_media(media_id: MediaId, request: Request) -> None:
        owner = owner_of(request)
        await on_disk(store.get, owner, media_id)
        if media_id in SAMPLES.values():
            raise Conflict("This is a sample that the examples use: it cannot be deleted.")
        if job_id := await services.in_use(owner, media_id):
            raise Conflict(f"The unfinished job {job_id} reads this medium: wait until it ends, or cancel it.")
        await services.forget_views(owner, media_id)
        await on_disk(store.delete, owner, media_id)

    return router
