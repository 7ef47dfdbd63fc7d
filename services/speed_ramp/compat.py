"""The endpoints of AI-Speed-Ramping, with their forms and replies, so that its clients only change the base URL.

They run the same operations as everybody's jobs: an upload is made media, a job is submitted and waited for.
"""

from functools import partial

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from services.speed_ramp.operations import ANALYZE, RENDER
from services.speed_ramp.params import AnalyzeParams, RenderParams
from shared.http.forms import finished, form_schema, read_form
from shared.http.json_route import JsonRoute
from shared.http.params_text import params_from_text
from shared.http.service import REFUSALS
from shared.media.ingest import ingest
from shared.media.record import MediaRecord
from shared.net.download import checked_client, fetch
from shared.runtime import Runtime

FIELDS = ("segment_duration", "min_speed", "max_speed")


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

    @router.post("/process", summary="Ramp an uploaded video and answer its link", openapi_extra=form_schema(AnalyzeParams, FIELDS))
    async def process(request: Request) -> Processed:
        form = await read_form(request, runtime, fields=FIELDS)
        params, inputs = params_from_text(RenderParams, form.fields), {"video": form.taken[0].id}
        job = await finished(runtime, RENDER, params=params, inputs=inputs, owner=request.state.owner)
        made = job.outputs["video"]
        return Processed(video_url=made.urls.download, media_id=made.id, job_id=job.id)

    @router.post("/get-speeds", summary="The speeds of an uploaded video", openapi_extra=form_schema(AnalyzeParams, FIELDS))
    async def get_speeds(request: Request) -> Speeds:
        form = await read_form(request, runtime, fields=FIELDS)
        return await _speeds(runtime, params_from_text(AnalyzeParams, form.fields), form.taken[0], request.state.owner)

    @router.post("/get-speeds-from-url", summary="The speeds of a video on the web")
    async def get_speeds_from_url(body: SpeedsFromUrl, request: Request) -> Speeds:
        params = params_from_text(AnalyzeParams, {name: str(getattr(body, name)) for name in FIELDS})
        limits = {"timeout_s": runtime.settings.url_timeout_s, "max_bytes": runtime.settings.max_upload_bytes}
        async with checked_client(runtime.settings) as client, fetch(client, body.video_url, **limits) as (name, chunks):
            record = await take(chunks, owner=request.state.owner, name=name, source="url")
        return await _speeds(runtime, params, record, request.state.owner)

    return router


async def _speeds(runtime: Runtime, params: AnalyzeParams, record: MediaRecord, owner: str) -> Speeds:
    job = await finished(runtime, ANALYZE, params=params, inputs={"video": record.id}, owner=owner)
    used = {name: getattr(params, name) for name in FIELDS}
    return Speeds(speeds=job.result["speeds"], **used)
