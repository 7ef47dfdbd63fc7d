"""HTTP routes that list, save, start and delete saved pipelines."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as PathParam
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from gateway.pipelines.presets.requests import PresetRequest, filled_pipeline
from gateway.pipelines.saved.store import SavedPipeline, SavedPipelines
from gateway.pipelines.steps import EXAMPLE, Step
from gateway.pipelines.submitter import PipelineSubmitter
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import ENDED, REFUSALS, IdempotencyKey, Prefer, job_response
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Job
from shared.media.disk import on_disk
from shared.runtime import Runtime
from shared.sample_ids import SAMPLE_ID

UNKNOWN = problems(_404="No saved pipeline has this name")
RUN_EXAMPLE: JsonDict = {"inputs": {"video": SAMPLE_ID}, "params": {"ramp": {"max_speed": 4}}}

Name = Annotated[
    str,
    PathParam(
        min_length=1,
        max_length=100,
        pattern=r"^[^/\x00-\x1f\x7f]*[^/\s\x00-\x1f\x7f][^/\x00-\x1f\x7f]*$",
        description="Name of the pipeline.",
    ),
]


class PipelineToSave(BaseModel):
    """Body of `PUT /v1/pipelines/saved/{name}`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    steps: list[Step] = Field(
        min_length=1,
        max_length=64,
        description="Steps in the format of `POST /v1/pipelines/jobs`, with `<name>` as placeholders for media.",
    )
    description: str = Field("", max_length=1000, description="Free-form notes about the pipeline.")


class SavedPipelineRequest(PresetRequest):
    """Body of `POST /v1/pipelines/saved/{name}/jobs`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [RUN_EXAMPLE]})


def saved_pipeline_routes(submitter: PipelineSubmitter, runtime: Runtime) -> APIRouter:
    """Return the routes under /v1/pipelines/saved."""
    unavailable = problems(_503="A service does not answer, or the disk is full")
    known_query = [Depends(refuse_unknown_query)]
    router = APIRouter(
        prefix="/v1/pipelines/saved", tags=["pipelines"], responses=unavailable, route_class=JsonRoute, dependencies=known_query
    )
    saved = SavedPipelines(runtime.settings.data_dir / "pipelines")

    @router.get("", summary="List your saved pipelines")
    async def list_saved(request: Request) -> list[SavedPipeline]:
        return await on_disk(saved.all, request.state.owner)

    @router.get("/{name}", summary="Read a saved pipeline", responses=UNKNOWN)
    async def read_saved(name: Name, request: Request) -> SavedPipeline:
        return await on_disk(saved.get, request.state.owner, name)

    @router.put(
        "/{name}",
        summary="Save a pipeline under a name, replacing an earlier version",
        description="The steps are not checked against the operations: `POST /v1/pipelines/check` does that.",
        responses=problems(_409="You have too many saved pipelines"),
    )
    async def save(name: Name, body: PipelineToSave, request: Request) -> SavedPipeline:
        return await on_disk(saved.save, request.state.owner, name, description=body.description, steps=body.steps)

    @router.delete("/{name}", status_code=204, summary="Delete a saved pipeline", responses=UNKNOWN)
    async def delete(name: Name, request: Request) -> None:
        await on_disk(saved.delete, request.state.owner, name)

    @router.post(
        "/{name}/jobs", status_code=202, summary="Start a saved pipeline", response_model=Job, responses=REFUSALS | ENDED | UNKNOWN
    )
    async def start_saved(
        name: Name,
        body: SavedPipelineRequest,
        request: Request,
        response: Response,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Job:
        owner = request.state.owner
        pipeline = await on_disk(saved.get, owner, name)
        job = await submitter.start(filled_pipeline(pipeline.name, pipeline.steps, body), owner, idempotency_key)
        return await job_response(job, owner=owner, prefer=prefer, response=response, runtime=runtime)

    return router
