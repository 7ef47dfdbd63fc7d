"""Routes that serve media to players: proxy, strip, waveform, single frames.

A proxy is a small copy of a clip, and a strip is a picture with tiles over its whole length.
"""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from gateway.media.downloads import BYTES, RANGED
from gateway.media.file_responses import file_response, is_known, safety_headers
from gateway.media.requests import UNKNOWN, MediaId, owner_of
from gateway.media.view_desk import VIEWS, ViewDesk
from shared.errors import NotFound
from shared.http.json_route import JsonRoute
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Job, Status
from shared.media.disk import on_disk
from shared.operation import Kind

RETRY_S = 1
MAKING: dict[int | str, dict[str, Any]] = {
    202: {"model": Job, "description": "The view is being made: the job. Ask again after `Retry-After` seconds"}
}
FAILED = problems(_404="Unknown media, or media of a kind that has no such view", _422="The file is damaged", _500="Making the view failed")
AS_JSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}}}}
Alpha = Annotated[str | None, Query(description="Id of a matte to show below the picture.")]


def view_routes(desk: ViewDesk) -> APIRouter:
    """Return the routes that send views of media, and single frames."""
    router = APIRouter(prefix="/v1/media/{media_id}", tags=["media"], route_class=JsonRoute, dependencies=[Depends(refuse_unknown_query)])
    _add_views(router, desk)
    _add_frame(router, desk)
    return router


def _add_views(router: APIRouter, desk: ViewDesk) -> None:
    """Add the routes of the views that jobs make: proxy, strip, waveform."""
    store = desk.runtime.media

    async def send(request: Request, view: str, output: str, media_id: str, alpha: str | None = None) -> Response:
        owner = owner_of(request)
        job = await desk.job(owner, VIEWS[view], media_id, alpha)
        if job.status is not Status.SUCCEEDED:
            headers = {"Location": job.urls.self_, "Retry-After": str(RETRY_S), "Cache-Control": "no-store"}
            return JSONResponse(json.loads(job.model_dump_json(by_alias=True)), 202, headers=headers)
        record = job.outputs[output]
        path = await on_disk(store.content_path, owner, record.id)
        await on_disk(store.mark_used, owner, record.id)
        headers = {"ETag": f'"{record.sha256}"', "Cache-Control": "private, no-cache"} | safety_headers(record.content_type)
        return await file_response(request, path, media_type=record.content_type, headers=headers)

    @router.get("/proxy", summary="Play a small copy with exact frames", responses=RANGED | MAKING | FAILED, response_class=Response)
    @router.head("/proxy", include_in_schema=False)
    async def proxy(media_id: MediaId, request: Request, alpha: Alpha = None) -> Response:
        """Send a clip's proxy: an H.264 MP4 in which every frame is a keyframe.

        Its shorter side is at most 540, its rate constant, its sound AAC. With `alpha` the picture is above and the matte below. It is
        made at the first request.
        """
        return await send(request, "proxy", "proxy", media_id, alpha)

    @router.get("/proxy/frames", summary="Map the frames of the proxy", responses=AS_JSON | MAKING | FAILED, response_class=Response)
    @router.head("/proxy/frames", include_in_schema=False)
    async def frames(media_id: MediaId, request: Request, alpha: Alpha = None) -> Response:
        return await send(request, "proxy", "frames", media_id, alpha)

    @router.get("/strip", summary="Download tiles over the whole length", responses=RANGED | MAKING | FAILED, response_class=Response)
    @router.head("/strip", include_in_schema=False)
    async def strip(media_id: MediaId, request: Request) -> Response:
        """Send a clip's strip: a JPEG with rows of evenly spaced frames."""
        return await send(request, "strip", "strip", media_id)

    @router.get("/strip/times", summary="Read the times of the tiles", responses=AS_JSON | MAKING | FAILED, response_class=Response)
    @router.head("/strip/times", include_in_schema=False)
    async def times(media_id: MediaId, request: Request) -> Response:
        return await send(request, "strip", "times", media_id)

    @router.get("/peaks", summary="Read the waveform", responses=AS_JSON | MAKING | FAILED, response_class=Response)
    @router.head("/peaks", include_in_schema=False)
    async def peaks(media_id: MediaId, request: Request) -> Response:
        """Send a clip's waveform: the peak amplitude of each channel in each short interval."""
        record = await on_disk(store.get, owner_of(request), media_id)
        if record.kind is Kind.VIDEO and not (record.media or {}).get("audio"):
            duration = (record.media or {}).get("duration_s")
            return JSONResponse({"channels": 0, "rate": 0, "duration_s": duration, "peaks": []})
        return await send(request, "peaks", "peaks", media_id)


def _add_frame(router: APIRouter, desk: ViewDesk) -> None:
    """Add the route that sends one frame at full size."""
    store = desk.runtime.media

    @router.get(
        "/frame",
        summary="Download one frame at full size",
        responses={200: {"description": "A PNG", "content": BYTES}} | UNKNOWN | problems(_422="The clip has no frame with this number"),
        response_class=Response,
    )
    @router.head("/frame", include_in_schema=False)
    async def frame(
        media_id: MediaId,
        request: Request,
        n: Annotated[int, Query(ge=0, le=10**9, description="Number of the frame in display order, from 0.")] = 0,
    ) -> Response:
        """Send one frame as an upright PNG, tone-mapped if HDR."""
        owner = owner_of(request)
        record = await on_disk(store.get, owner, media_id)
        if record.kind not in (Kind.VIDEO, Kind.IMAGE):
            raise NotFound(f"{record.name} is of kind {record.kind.value}: only videos and pictures have frames.")
        headers = {
            "ETag": f'"{record.sha256}-frame-{n}"',
            "Cache-Control": "private, max-age=86400, immutable",
            "X-Content-Type-Options": "nosniff",
        }
        if is_known(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        path = await on_disk(store.content_path, owner, media_id)
        with store.incoming() as incoming:
            await desk.runtime.frame(path, incoming.content, n)
            picture = await on_disk(incoming.content.read_bytes)
        return Response(picture, media_type="image/png", headers=headers)
