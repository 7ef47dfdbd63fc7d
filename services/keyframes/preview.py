"""The gallery of a job as a page of the suite: the same file, told where its clips can be played from."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from services.keyframes.operations import DETECT
from services.keyframes.output.gallery import served
from shared.errors import NotFound
from shared.http.problems import problems
from shared.jobs import Job, Status
from shared.media.disk import on_disk
from shared.runtime import Runtime

HEAD_BYTES = 4096
"""The page says within these where its clips are."""

CHUNK_BYTES = 256 * 1024
LOOKED_AT = 50

# As for everything that jobs make: without this server's origin, so without access to anything of the user's.
HEADERS = {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads",
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
NOTHING_YET = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><title>No keyframes yet</title>
<main><h1>No keyframes yet</h1>
<p>No <code>keyframes.detect</code> job has succeeded so far. Start one with <code>POST /v1/keyframes/detect/jobs</code>, or send a video to
<code>POST /v1/keyframes/extract_keyframes/</code>; then its gallery is here.</p></main></html>
"""


def preview_routes(runtime: Runtime) -> APIRouter:
    """`/preview`."""
    router = APIRouter(tags=["keyframes.detect"])

    @router.get(
        "/preview",
        summary="The gallery of a job, with its clips",
        response_class=HTMLResponse,
        responses=problems(_404="There is no such job with a gallery, or it is somebody else's"),
    )
    async def preview(
        request: Request, job: str | None = Query(None, max_length=64, description="A job of `keyframes.detect`; the newest if left out.")
    ) -> Response:
        """Shots on a timeline, scores with a threshold that can be moved, keyframes; the clips play from where they were uploaded."""
        owner = request.state.owner
        found = await _newest(runtime, owner) if job is None else await _asked(runtime, owner, job)
        if found is None:
            return HTMLResponse(NOTHING_YET, headers=HEADERS | {"Content-Security-Policy": "default-src 'none'; sandbox"})
        path = await on_disk(runtime.media.content_path, owner, found.outputs["gallery"].id)
        given = found.inputs["video"]
        media = given if isinstance(given, list) else [given or ""]
        return StreamingResponse(_page(path, media), media_type="text/html; charset=utf-8", headers=HEADERS)

    return router


async def _asked(runtime: Runtime, owner: str, job_id: str) -> Job:
    job = await runtime.jobs.get(owner, job_id)
    if job.operation != DETECT.name:
        raise NotFound(f"The job {job.id} is one of {job.operation}; only {DETECT.name} makes a gallery.")
    if "gallery" not in job.outputs:
        raise NotFound(f"The job {job.id} is {job.status} and has no gallery" + ("." if job.status.ended else " yet: wait for its end."))
    return job


async def _newest(runtime: Runtime, owner: str) -> Job | None:
    jobs, _ = await runtime.jobs.page(owner, service=DETECT.service, status=Status.SUCCEEDED, limit=LOOKED_AT)
    return next((job for job in jobs if job.operation == DETECT.name and "gallery" in job.outputs), None)


async def _page(path: Path, media: list[str]) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        head = await asyncio.to_thread(file.read, HEAD_BYTES)
        # What stands there is ASCII; any other character passes through.
        yield served(head.decode("latin-1"), media).encode("latin-1")
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
