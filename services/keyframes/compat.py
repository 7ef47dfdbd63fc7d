"""Endpoints compatible with the Video Keyframe Extraction API.

A client of that API only changes its base URL. `POST /extract_keyframes/` takes the same form and gives the same reply. It runs
`keyframes.detect` with that API's method, the mean change of the pixels. `GET /preview` shows a job's gallery.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from services.keyframes.detect import DETECT, MAX_VIDEOS, DetectParams
from services.keyframes.output.gallery import with_media
from services.keyframes.output.report import VideoReport
from shared.errors import NotFound
from shared.http.forms import RefusedFile, form_schema, read_form, run_on
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import REFUSALS
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Job, Status
from shared.jobs.database.job_filter import JobFilter
from shared.media.disk import on_disk
from shared.runtime import Runtime

FIELDS = ("threshold",)

HEAD_BYTES = 4096
"""Bytes at a gallery's start that contain the element with the media ids."""

CHUNK_BYTES = 256 * 1024
RECENT_JOBS = 50
"""Number of recent jobs to search for the newest gallery."""

# As for all pages made by jobs: the sandbox takes away this server's origin, and so the access to the user's session and data.
PAGE_HEADERS = {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads",
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
NO_GALLERY = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light"><title>No keyframes yet</title>
<main><h1>No keyframes yet</h1>
<p>No <code>keyframes.detect</code> job has succeeded so far. Start one with <code>POST /v1/keyframes/detect/jobs</code>, or send a video to
<code>POST /v1/keyframes/extract_keyframes/</code>. Its gallery will appear here.</p></main></html>
"""


class ExtractedFrame(BaseModel):
    """A keyframe in the response."""

    file: str = Field(description="Name of the image.", examples=["clip-0001.jpg"])
    timestamp: str = Field(description="Time as H:MM:SS, with a fraction unless it falls on a full second.", examples=["0:00:02.040000"])
    url: str = Field(description="Address of the image.")


class Extracted(BaseModel):
    """Response for one video."""

    video: str = Field(description="Name of the video.")
    keyframes_extracted: int = Field(description="Number of keyframes.")
    frames: list[ExtractedFrame] = Field(description="The keyframes in the order of the video.")
    error: str | None = Field(None, description="In a batch: the reason why this video has no keyframes.")
    job_id: str | None = Field(None, description="The job. Its gallery is at `/v1/keyframes/preview?job=<job_id>`.")


def compat_routes(runtime: Runtime) -> APIRouter:
    """Create the routes `/extract_keyframes/` and `/preview`."""
    router = APIRouter()
    router.include_router(_extract_routes(runtime))
    router.include_router(_preview_routes(runtime))
    return router


def _extract_routes(runtime: Runtime) -> APIRouter:
    router = APIRouter(
        tags=["keyframes: endpoints of the Video Keyframe Extraction API"],
        responses=REFUSALS,
        route_class=JsonRoute,
        dependencies=[Depends(refuse_unknown_query)],
    )

    @router.post(
        "/extract_keyframes/",
        summary="Extract the keyframes of one or more uploaded videos",
        response_model_exclude_none=True,
        openapi_extra=form_schema(DetectParams, FIELDS, many=True),
    )
    @router.post("/extract_keyframes", include_in_schema=False, response_model_exclude_none=True)
    async def extract_keyframes(request: Request) -> Extracted | list[Extracted]:
        """Extract the keyframes of one or more uploaded videos.

        Repeat the field `file` to send a batch. The reply is then a list, in which a bad file has an `error` and no frames.
        """
        form = await read_form(request, runtime, fields=FIELDS, most_files=MAX_VIDEOS)
        fields = {"method": "difference"} | form.fields
        inputs: dict[str, str | list[str] | None] = {"video": [record.id for record in form.media]}
        job = await run_on(form.media, DETECT, inputs=inputs, fields=fields, owner=request.state.owner, runtime=runtime)
        reports = iter([VideoReport.model_validate(report) for report in job.result["videos"]])
        images = f"/v1/media/{job.outputs['keyframes'].id}/files/" if "keyframes" in job.outputs else ""
        replies = [
            Extracted(video=file.name, keyframes_extracted=0, frames=[], error=file.error.problem()["detail"])
            if isinstance(file, RefusedFile)
            else _reply(file.name, next(reports), images, job.id)
            for file in form.files
        ]
        return replies if len(replies) > 1 else replies[0]

    return router


def _reply(name: str, report: VideoReport, images: str, job_id: str) -> Extracted:
    """Create the response from a video's report.

    `images`: address of the folder with the keyframes.
    """
    frames = [
        ExtractedFrame(file=keyframe.file, timestamp=str(timedelta(seconds=keyframe.timestamp_s)), url=images + keyframe.file)
        for keyframe in report.keyframes
    ]
    error = (report.error or {}).get("detail")
    return Extracted(video=name, keyframes_extracted=len(frames), frames=frames, error=error, job_id=job_id)


def _preview_routes(runtime: Runtime) -> APIRouter:
    router = APIRouter(tags=["keyframes.detect"], dependencies=[Depends(refuse_unknown_query)])

    @router.get(
        "/preview",
        summary="Show the gallery of a job, with its clips",
        response_class=HTMLResponse,
        responses=problems(_404="The job does not exist, belongs to another owner, or has no gallery"),
    )
    async def preview(
        request: Request,
        job: str | None = Query(None, max_length=64, description="Id of a `keyframes.detect` job. Empty: the newest with a gallery."),
    ) -> Response:
        """Show the gallery of a job.

        The gallery shows shots on a timeline, scores with a movable threshold, and keyframes. Clips play from the uploaded media.
        """
        owner = request.state.owner
        gallery_job = await _newest_job(runtime, owner) if job is None else await _job_with_gallery(runtime, owner, job)
        if gallery_job is None:
            return HTMLResponse(NO_GALLERY, headers=PAGE_HEADERS | {"Content-Security-Policy": "default-src 'none'; sandbox"})
        path = await on_disk(runtime.media.content_path, owner, gallery_job.outputs["gallery"].id)
        videos = gallery_job.inputs["video"]
        media = videos if isinstance(videos, list) else [videos or ""]
        return StreamingResponse(_gallery_page(path, media), media_type="text/html; charset=utf-8", headers=PAGE_HEADERS)

    return router


async def _job_with_gallery(runtime: Runtime, owner: str, job_id: str) -> Job:
    """Return the job `job_id` if it has a gallery.

    Raises NotFound if the job does not exist or has no gallery.
    """
    job = await runtime.jobs.get(owner, job_id)
    if job.operation != DETECT.name:
        raise NotFound(f"Job {job.id} is a {job.operation} job. Only {DETECT.name} jobs have a gallery.")
    if "gallery" not in job.outputs:
        raise NotFound(f"Job {job.id} is {job.status} and has no gallery" + ("." if job.status.ended else " yet. Wait until it ends."))
    return job


async def _newest_job(runtime: Runtime, owner: str) -> Job | None:
    """Return the owner's newest job with a gallery, or None."""
    jobs, _ = await runtime.jobs.page(owner, JobFilter(operation=DETECT.name, status=Status.SUCCEEDED), limit=RECENT_JOBS)
    return next((job for job in jobs if job.operation == DETECT.name and "gallery" in job.outputs), None)


async def _gallery_page(path: Path, media: list[str]) -> AsyncIterator[bytes]:
    """Stream the gallery file `path` with media ids inserted."""
    with path.open("rb") as file:
        head = await asyncio.to_thread(file.read, HEAD_BYTES)
        # The head may end within a UTF-8 character. Latin-1 keeps every byte, and the element to replace is ASCII.
        yield with_media(head.decode("latin-1"), media).encode("latin-1")
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
