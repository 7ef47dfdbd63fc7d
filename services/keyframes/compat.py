"""The endpoint of the Video Keyframe Extraction API, with its form and reply, so that its clients only change the base URL.

It runs `keyframes.detect`, with the same method as that program: the mean change of the pixels, over a threshold.
"""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.keyframes.operations import DETECT
from services.keyframes.params import MAX_VIDEOS, DetectParams
from shared.http.forms import Refused, finished, form_schema, read_form
from shared.http.json_route import JsonRoute
from shared.http.params_text import params_from_text
from shared.http.service import REFUSALS
from shared.runtime import Runtime

FIELDS = ("threshold",)


class ExtractedFrame(BaseModel):
    """One keyframe."""

    file: str = Field(description="Name of the picture.", examples=["clip-0001.jpg"])
    timestamp: str = Field(description="H:MM:SS, with a fraction where it does not fall on a second.", examples=["0:00:02.040000"])
    url: str = Field(description="Where the picture is fetched.")


class Extracted(BaseModel):
    """The seed's answer."""

    video: str = Field(description="Name of the video.")
    keyframes_extracted: int
    frames: list[ExtractedFrame]
    error: str | None = Field(None, description="In a batch: why this video has none.")
    job_id: str | None = Field(None, description="Its gallery is at `/v1/keyframes/preview?job=`.")


def seed_routes(runtime: Runtime) -> APIRouter:
    """`/extract_keyframes/`."""
    router = APIRouter(tags=["keyframes as the Video Keyframe Extraction API had them"], responses=REFUSALS, route_class=JsonRoute)

    @router.post(
        "/extract_keyframes/",
        summary="The keyframes of an uploaded video, or of several",
        response_model_exclude_none=True,
        openapi_extra=form_schema(DetectParams, FIELDS, many=True),
    )
    @router.post("/extract_keyframes", include_in_schema=False, response_model_exclude_none=True)
    async def extract_keyframes(request: Request) -> Extracted | list[Extracted]:
        """Several files (the field `file` more than once) are a batch: a list is answered, in which one bad file spoils no other."""
        form = await read_form(request, runtime, fields=FIELDS, most_files=MAX_VIDEOS)
        params = params_from_text(DetectParams, {"method": "difference"} | form.fields)
        ids = [record.id for record in form.taken]
        job = await finished(runtime, DETECT, params=params, inputs={"video": ids}, owner=request.state.owner)
        reports = iter(job.result["videos"])
        pictures = f"/v1/media/{job.outputs['keyframes'].id}/files/" if "keyframes" in job.outputs else ""
        replies = [
            Extracted(video=file.name, keyframes_extracted=0, frames=[], error=file.error.detail)
            if isinstance(file, Refused)
            else _reply(file.name, next(reports), pictures, job.id)
            for file in form.files
        ]
        return replies if len(replies) > 1 else replies[0]

    return router


def _reply(name: str, report: dict[str, Any], pictures: str, job_id: str) -> Extracted:
    frames = [
        ExtractedFrame(file=one["file"], timestamp=str(timedelta(seconds=one["timestamp_s"])), url=pictures + one["file"])
        for one in report["keyframes"]
    ]
    error = (report["error"] or {}).get("detail")
    return Extracted(video=name, keyframes_extracted=len(frames), frames=frames, error=error, job_id=job_id)
