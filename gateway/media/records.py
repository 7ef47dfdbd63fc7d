"""Routes that list, find, read, rename and delete media."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParam
from pydantic import BaseModel, ConfigDict, Field

from gateway.media.file_responses import is_known
from gateway.media.requests import UNKNOWN, MediaId, owner_of
from gateway.media.services import MediaServices
from shared.errors import Conflict, UnknownMedia
from shared.http.json_route import JsonRoute
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.json_digest import json_digest
from shared.media.disk import on_disk
from shared.media.owner_folder.changes import revision, stored_bytes
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.operation import Kind
from shared.sample_ids import SAMPLES

LISTED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Unchanged since the ETag in If-None-Match"},
    **problems(_422="Invalid cursor or limit"),
}
BY_HASH: dict[int | str, dict[str, Any]] = {
    204: {"description": "You have no medium with this content, and the request has `or_none`"},
    **problems(_404="You have no medium with this content"),
}


class Renamed(BaseModel):
    """Body of a request that renames a medium."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255, description="New name of the file.", examples=["dance.mp4"])


class MediaPage(BaseModel):
    """One page of the list of media, newest first."""

    items: list[MediaRecord]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last page.")


class MediaUsage(BaseModel):
    """Disk space that the owner's media use."""

    bytes: int = Field(description="Bytes of all your files, also of those that are not listed, such as proxies.")
    limit_bytes: int | None = Field(description="Bytes that you may store; null without a limit.")


FORM = json_digest(MediaPage.model_json_schema(mode="serialization"))
"""Digest of MediaPage's JSON schema. It is part of the ETags, which change when a release changes the fields."""


def record_routes(services: MediaServices) -> APIRouter:
    """Return the routes that list, find, read, rename and delete media."""
    router = APIRouter(prefix="/v1/media", tags=["media"], route_class=JsonRoute, dependencies=[Depends(refuse_unknown_query)])
    _add_list(router, services.store)
    _add_lookup(router, services)
    _add_changes(router, services)
    return router


def _add_list(router: APIRouter, store: MediaStore) -> None:
    """Add the routes that list media and report their disk usage."""

    @router.get("", name="list", summary="List media, newest first", response_model=MediaPage, responses=LISTED)
    async def list_media(
        request: Request,
        response: Response,
        kind: Annotated[Kind | None, Query(description="Only media of this kind.")] = None,
        size: Annotated[int | None, Query(alias="bytes", ge=0, le=2**63 - 1, description="Only files of this many bytes.")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="Maximum number of items.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the previous page.")] = None,
    ) -> Response | MediaPage:
        """Send a page of records.

        Its ETag changes with every change of your media. There is none within two seconds of a change.
        """
        owner = owner_of(request)
        changed = await on_disk(revision, store.root / owner)
        if changed is not None:
            tag = f'"{json_digest([owner, changed, FORM])[:32]}"'
            response.headers.update({"ETag": tag, "Cache-Control": "private, no-cache"})
            if is_known(request.headers.get("if-none-match"), tag):
                return Response(status_code=304, headers=dict(response.headers))
        items, next_cursor = await on_disk(store.list, owner, kind=kind, size=size, limit=limit, cursor=cursor)
        return MediaPage(items=items, next_cursor=next_cursor)

    @router.get("/usage", summary="Read the disk space that your media take")
    async def usage(request: Request) -> MediaUsage:
        owner = owner_of(request)
        return MediaUsage(bytes=await on_disk(stored_bytes, store.root / owner), limit_bytes=store.room.limit_of(owner))


def _add_lookup(router: APIRouter, services: MediaServices) -> None:
    """Add the routes that find a medium by its content or id."""

    @router.get("/by-hash/{sha256}", summary="Find a medium by its content", response_model=MediaRecord, responses=BY_HASH)
    @router.head("/by-hash/{sha256}", response_model=MediaRecord, include_in_schema=False)
    async def by_hash(
        request: Request,
        sha256: Annotated[str, PathParam(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file, in lower case.")],
        or_none: Annotated[
            bool, Query(description="Answer 204 instead of 404 if there is none. Browsers log each 404 as an error of the page.")
        ] = False,
    ) -> Response | MediaRecord:
        """Return the newest medium whose file has this SHA-256.

        Clients then need not send the file again. Only your own media are found, and none that expires within the hour.
        """
        try:
            return await services.by_hash(owner_of(request), sha256)
        except UnknownMedia:
            if not or_none:
                raise
            return Response(status_code=204)

    @router.get("/{media_id}", name="read", summary="Read the record of a medium", responses=UNKNOWN)
    async def get_media(media_id: MediaId, request: Request) -> MediaRecord:
        return await on_disk(services.store.get, owner_of(request), media_id)


def _add_changes(router: APIRouter, services: MediaServices) -> None:
    """Add the routes that rename and delete a medium."""
    store = services.store

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
