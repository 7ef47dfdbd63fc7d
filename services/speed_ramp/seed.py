"""The endpoints of AI-Speed-Ramping, with their forms and replies, so that its clients only change the base URL.

They run the same operations as everybody's jobs: an upload is made media, a job is submitted and waited for.
"""

from contextlib import aclosing
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from services.speed_ramp.operations import ANALYZE, RENDER
from services.speed_ramp.params import AnalyzeParams, RenderParams
from shared.errors import Invalid, OperationFailed
from shared.jobs import Job, JobRequest, Status
from shared.json_route import JsonRoute
from shared.media.ingest import ingest
from shared.media.multipart import read_parts
from shared.media.record import MediaRecord
from shared.net.download import checked_client, fetch
from shared.operation import Operation, Params
from shared.params_text import params_from_text
from shared.runtime import Runtime
from shared.service import REFUSALS, submit

FIELDS = frozenset({"segment_duration", "min_speed", "max_speed"})


class Speeds(BaseModel):
    """The seed's answer."""

    speeds: list[float] = Field(description="Playback speed of each segment.")
    segment_duration: float
    min_speed: float
    max_speed: float


class Processed(BaseModel):
    """The ramped video."""

    video_url: str = Field(description="Where the ramped video is downloaded.")
    media_id: str
    job_id: str


class SpeedsFromUrl(BaseModel):
    """A video somewhere on the web, and how its motion becomes speed."""

    model_config = ConfigDict(extra="forbid")

    video_url: str = Field(examples=["https://example.com/clip.mp4"])
    segment_duration: float = AnalyzeParams.model_fields["segment_duration"].default
    min_speed: float = AnalyzeParams.model_fields["min_speed"].default
    max_speed: float = AnalyzeParams.model_fields["max_speed"].default


def seed_routes(runtime: Runtime) -> APIRouter:
    """`/process`, `/get-speeds` and `/get-speeds-from-url`."""
    router = APIRouter(tags=["speed-ramp as AI-Speed-Ramping had it"], responses=REFUSALS, route_class=JsonRoute)
    take = partial(ingest, store=runtime.media, probe=runtime.probe, max_bytes=runtime.settings.max_upload_bytes)

    @router.post("/process", summary="Ramp an uploaded video and answer its link", openapi_extra=_form(FIELDS))
    async def process(request: Request) -> Processed:
        record, fields = await _read_form(request, take)
        job = await _finish(runtime, RENDER, params_from_text(RenderParams, fields), record, request.state.owner)
        made = job.outputs["video"]
        return Processed(video_url=made.urls.download, media_id=made.id, job_id=job.id)

    @router.post("/get-speeds", summary="The speeds of an uploaded video", openapi_extra=_form(FIELDS))
    async def get_speeds(request: Request) -> Speeds:
        record, fields = await _read_form(request, take)
        return await _speeds(runtime, params_from_text(AnalyzeParams, fields), record, request.state.owner)

    @router.post("/get-speeds-from-url", summary="The speeds of a video on the web")
    async def get_speeds_from_url(body: SpeedsFromUrl, request: Request) -> Speeds:
        params = params_from_text(AnalyzeParams, {name: str(getattr(body, name)) for name in FIELDS})
        limits = {"timeout_s": runtime.settings.url_timeout_s, "max_bytes": runtime.settings.max_upload_bytes}
        async with checked_client(runtime.settings) as client, fetch(client, body.video_url, **limits) as (name, chunks):
            record = await take(chunks, owner=request.state.owner, name=name, source="url")
        return await _speeds(runtime, params, record, request.state.owner)

    return router


async def _speeds(runtime: Runtime, params: AnalyzeParams, record: MediaRecord, owner: str) -> Speeds:
    job = await _finish(runtime, ANALYZE, params, record, owner)
    used = {name: getattr(params, name) for name in FIELDS}
    return Speeds(speeds=job.result["speeds"], **used)


async def _finish(runtime: Runtime, operation: Operation, params: Params, record: MediaRecord, owner: str) -> Job:
    """Run a job to its end. Raises what it failed with."""
    request = JobRequest(inputs={"video": record.id})
    job = await submit(operation, request, params=params, owner=owner, runtime=runtime)
    job = await runtime.jobs.wait(owner, job.id, runtime.settings.job_timeout_s)
    if job.status is not Status.SUCCEEDED:
        raise OperationFailed((job.error or {}).get("detail") or f"The job {job.id} is {job.status}.")
    return job


async def _read_form(request: Request, take: Any) -> tuple[MediaRecord, dict[str, str]]:
    """The file and the fields of a form. Fields are looked at before anything is done with the file."""
    record, fields = None, {}
    async with aclosing(read_parts(request)) as parts:
        async for part in parts:
            if part.field == "file" and part.filename is not None and record is None:
                record = await take(part.chunks, owner=request.state.owner, name=part.filename, source="upload")
            elif part.field in FIELDS:
                fields[part.field] = await part.text(max_bytes=100)
            else:
                detail = f"Unknown field; `file` and {', '.join(sorted(FIELDS))} are taken"
                raise Invalid(f"{part.field}: {detail}.", errors=[{"field": part.field, "detail": detail}])
    if record is None:
        raise Invalid("The form has no `file`.", errors=[{"field": "file", "detail": "Field required"}])
    return record, fields


def _form(fields: frozenset[str]) -> dict[str, Any]:
    numbers = {name: {"type": "number", "default": AnalyzeParams.model_fields[name].default} for name in sorted(fields)}
    schema = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}, **numbers}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
