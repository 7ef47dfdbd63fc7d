"""Routes that send the file of a medium, or its thumbnail."""

import asyncio
from typing import Annotated, Any
from weakref import WeakValueDictionary

from fastapi import APIRouter, Depends, Query, Request, Response

from gateway.media.file_responses import content_response, file_response
from gateway.media.requests import UNKNOWN, MediaId, owner_of
from gateway.media.services import MediaServices
from shared.errors import NotFound
from shared.http.json_route import JsonRoute
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.media.disk import on_disk
from shared.media.record import WITH_THUMBNAIL
from shared.media.types import IMAGES

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
BYTES = dict.fromkeys(
    (
        *("video/mp4", "video/quicktime", "video/webm", "video/x-matroska"),
        *(kind.content_type for kind in IMAGES.values()),
        *("application/zip", "application/json", "text/html"),
    ),
    BINARY,
)
RANGED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": BYTES},
    206: {"description": "The requested range", "content": BYTES},
    304: {"description": "Unchanged since the ETag in If-None-Match, or the date in If-Modified-Since"},
    **problems(_412="The file has changed since the ETag in If-Match, or the date in If-Unmodified-Since"),
}
THUMBNAIL: dict[int | str, dict[str, Any]] = UNKNOWN | {
    200: {"description": "A small picture", "content": {"image/jpeg": BINARY}},
    304: RANGED[304],
    412: RANGED[412],
}


def download_routes(services: MediaServices) -> APIRouter:
    """Return the routes that send media files and thumbnails."""
    router = APIRouter(prefix="/v1/media", tags=["media"], route_class=JsonRoute, dependencies=[Depends(refuse_unknown_query)])
    store = services.store
    in_progress: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
    ranged = RANGED | UNKNOWN | problems(_416="The range lies outside the file")

    @router.get("/{media_id}/content", summary="Download the file", responses=ranged, response_class=Response)
    @router.head("/{media_id}/content", include_in_schema=False)
    async def content(
        media_id: MediaId,
        request: Request,
        download: Annotated[bool, Query(description="Whether browsers save the file rather than show it.")] = False,
    ) -> Response:
        """Send the file of a medium, unchanged.

        Supports ranges, If-None-Match and If-Range; the ETag is the SHA-256.
        """
        owner = owner_of(request)
        record, path = await on_disk(store.get, owner, media_id), await on_disk(store.content_path, owner, media_id)
        return await content_response(request, record, path, download=download)

    @router.get("/{media_id}/thumbnail", summary="Download a thumbnail", responses=THUMBNAIL, response_class=Response)
    @router.head("/{media_id}/thumbnail", include_in_schema=False)
    async def thumbnail(media_id: MediaId, request: Request) -> Response:
        """Send a small JPEG of a video, an image or a zip of images.

        It is made at the first request. A zip file shows its first image.
        """
        owner = owner_of(request)
        record = await on_disk(store.get, owner, media_id)
        if record.kind not in WITH_THUMBNAIL:
            raise NotFound(f"{record.name!r} is of kind {record.kind.value!r}, which has no thumbnail.")
        path = store.thumbnail_path(owner, media_id)
        lock = in_progress.setdefault(media_id, asyncio.Lock())  # a local reference: it keeps the lock in the weak dictionary
        async with lock:
            if not path.exists():
                with store.incoming() as incoming:
                    await services.thumbnail(store.content_path(owner, media_id), incoming.content)
                    await on_disk(store.keep_thumbnail, owner, media_id, incoming.content)
        headers = {"ETag": f'"{record.sha256}-thumbnail"', "Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
        return await file_response(request, path, media_type="image/jpeg", headers=headers)

    return router
