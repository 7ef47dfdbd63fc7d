"""Endpoints with the URLs and replies of the original program, AI-Speed-Ramping.

Clients of that program only change the base URL. The endpoints run ordinary jobs: an upload becomes a medium, a job is submitted, and
the reply waits for its result.
"""

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from services.speed_ramp.analyze import ANALYZE, AnalyzeParams
from services.speed_ramp.render import RENDER
from shared.http.forms import form_schema, read_form, run_on
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import REFUSALS
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.params_text import params_from_text
from shared.media.ingestion import ingest
from shared.media.record import MediaRecord
from shared.net.download import checked_client, fetch
from shared.runtime import Runtime

FIELDS = ("segment_duration", "min_speed", "max_speed")


class Speeds(BaseModel):
    """Response with the speeds of a video."""

    speeds: list[float] = Field(description="Playback speed of each segment.")
    segment_duration: float
    min_speed: float
    max_speed: float


class Processed(BaseModel):
    """Response with the ramped video."""

    video_url: str = Field(description="Address from which to download the ramped video.")
    media_id: str
    job_id: str


class SpeedsFromUrl(BaseModel):
    """Request for the speeds of a video at a URL."""

    model_config = ConfigDict(extra="forbid")

    video_url: str = Field(examples=["https://example.com/clip.mp4"])
    segment_duration: float = AnalyzeParams.model_fields["segment_duration"].default
    min_speed: float = AnalyzeParams.model_fields["min_speed"].default
    max_speed: float = AnalyzeParams.model_fields["max_speed"].default


def ai_speed_ramping_routes(runtime: Runtime) -> APIRouter:
    """Return the routes `/process`, `/get-speeds` and `/get-speeds-from-url`."""
    router = APIRouter(
        tags=["speed-ramp: endpoints of AI-Speed-Ramping"],
        responses=REFUSALS,
        route_class=JsonRoute,
        dependencies=[Depends(refuse_unknown_query)],
    )
    take = partial(ingest, store=runtime.media, probe=runtime.probe, max_bytes=runtime.settings.max_upload_bytes)

    @router.post("/process", summary="Ramp an uploaded video and return its address", openapi_extra=form_schema(AnalyzeParams, FIELDS))
    async def process(request: Request) -> Processed:
        form = await read_form(request, runtime, fields=FIELDS)
        inputs: dict[str, str | list[str] | None] = {"video": form.media[0].id}
        job = await run_on(form.media, RENDER, inputs=inputs, fields=form.fields, owner=request.state.owner, runtime=runtime)
        output = job.outputs["video"]
        return Processed(video_url=output.urls.download, media_id=output.id, job_id=job.id)

    @router.post("/get-speeds", summary="Return the speeds of an uploaded video", openapi_extra=form_schema(AnalyzeParams, FIELDS))
    async def get_speeds(request: Request) -> Speeds:
        form = await read_form(request, runtime, fields=FIELDS)
        return await _speeds(runtime, form.fields, form.media[0], request.state.owner)

    @router.post("/get-speeds-from-url", summary="Return the speeds of a video at a URL")
    async def get_speeds_from_url(body: SpeedsFromUrl, request: Request) -> Speeds:
        fields = {name: str(getattr(body, name)) for name in FIELDS}
        params_from_text(AnalyzeParams, fields)  # before anything is fetched
        timeout_s, max_bytes = runtime.settings.url_timeout_s, runtime.settings.max_upload_bytes
        async with (
            checked_client(runtime.settings) as client,
            fetch(client, body.video_url, timeout_s=timeout_s, max_bytes=max_bytes) as (name, chunks),
        ):
            record = await take(chunks, owner=request.state.owner, name=name, source="url")
        return await _speeds(runtime, fields, record, request.state.owner)

    return router


async def _speeds(runtime: Runtime, fields: Mapping[str, str], record: MediaRecord, owner: str) -> Speeds:
    """Analyse the new video `record` and return its speeds. `fields`: params as text."""
    job = await run_on([record], ANALYZE, inputs={"video": record.id}, fields=fields, owner=owner, runtime=runtime)
    return Speeds(speeds=job.result["speeds"], **{name: job.params[name] for name in FIELDS})
