"""HTTP routes that list, check and start presets."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import APIRouter, Depends, Request, Response

from gateway.pipelines.presets.availability import PresetInfo, describe_preset, describe_presets
from gateway.pipelines.presets.preset import Preset
from gateway.pipelines.presets.requests import PresetRequest, batch_of, in_words_of_preset, pipeline_of
from gateway.pipelines.presets.table import preset_named
from gateway.pipelines.steps import PipelineChecked, PipelineRequest
from gateway.pipelines.submitter import PipelineSubmitter
from gateway.routing.upstream import Refused, Upstreams, credentials
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import ENDED, REFUSALS, IdempotencyKey, Prefer, job_response
from shared.http.operations.batch import Batch, item_key, submit_each
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Job
from shared.runtime import Runtime
from shared.sample_ids import SAMPLE_ID

UNKNOWN = problems(_404="Unknown preset")
EXAMPLE = {"inputs": {"video": SAMPLE_ID}, "params": {"trails": {"layers": 4}}}
EXAMPLES = {"ramp-trails": {"summary": "For ramp-trails, on the sample clip", "value": EXAMPLE}}
OPENAPI = {"requestBody": {"content": {"application/json": {"examples": EXAMPLES}}}}


def preset_routes(submitter: PipelineSubmitter, upstreams: Upstreams, runtime: Runtime) -> APIRouter:
    """Return the routes under /v1/pipelines/presets."""
    unavailable = problems(_503="A service does not answer, or the weights of a model are not installed")
    known_query = [Depends(refuse_unknown_query)]
    router = APIRouter(
        prefix="/v1/pipelines/presets", tags=["pipelines"], responses=unavailable, route_class=JsonRoute, dependencies=known_query
    )
    _add_list(router, upstreams, runtime)
    _add_start(router, submitter, runtime)
    _add_batch(router, submitter)
    return router


def _add_list(router: APIRouter, upstreams: Upstreams, runtime: Runtime) -> None:
    """Add the routes that list and read presets."""

    @router.get("", summary="List the named pipelines, and whether each can run now")
    async def list_presets(request: Request) -> list[PresetInfo]:
        return await describe_presets(upstreams, headers=credentials(runtime.settings, request.state.owner))

    @router.get("/{name}", summary="Read a named pipeline", responses=UNKNOWN)
    async def read_preset(name: str, request: Request) -> PresetInfo:
        preset, headers = preset_named(name), credentials(runtime.settings, request.state.owner)
        declarations = await upstreams.operations(headers)
        return await describe_preset(upstreams, preset, declarations, headers=headers)


def _add_start(router: APIRouter, submitter: PipelineSubmitter, runtime: Runtime) -> None:
    """Add the routes that start and check one pipeline."""

    @router.post(
        "/{name}/jobs",
        status_code=202,
        summary="Start a named pipeline",
        response_model=Job,
        responses=REFUSALS | ENDED,
        openapi_extra=OPENAPI,
    )
    async def start_preset(
        name: str,
        body: PresetRequest,
        request: Request,
        response: Response,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Job:
        preset, owner = preset_named(name), request.state.owner
        with _named_fields(preset):
            job = await submitter.start(pipeline_of(preset, body), owner, idempotency_key)
        return await job_response(job, owner=owner, prefer=prefer, response=response, runtime=runtime)

    @router.post(
        "/{name}/check", summary="Check a request for a named pipeline without running it", responses=REFUSALS, openapi_extra=OPENAPI
    )
    async def check_preset(name: str, body: PresetRequest, request: Request) -> PipelineChecked:
        preset = preset_named(name)
        with _named_fields(preset):
            return await submitter.check(pipeline_of(preset, body), request.state.owner)


def _add_batch(router: APIRouter, submitter: PipelineSubmitter) -> None:
    """Add the route that starts a pipeline for each of many clips."""

    @router.post(
        "/{name}/batch",
        status_code=202,
        summary="Start a named pipeline for each of many clips",
        description="Like `jobs`, but an input may be a list. One pipeline is started per item, after all have been checked. "
        "`refused` lists the items for which there is no room; without room for any, the answer is 429.",
        responses=REFUSALS,
    )
    async def batch_preset(
        name: str, body: PresetRequest, request: Request, response: Response, idempotency_key: IdempotencyKey = None
    ) -> Batch:
        preset, owner = preset_named(name), request.state.owner
        pipelines = batch_of(preset, body)

        async def start(pipeline: PipelineRequest, key: str | None) -> Job:
            with _named_fields(preset):
                return await submitter.start(pipeline, owner, key)

        with _named_fields(preset):
            for pipeline in pipelines:
                await submitter.check(pipeline, owner)
        return await submit_each(
            [partial(start, pipeline, item_key(idempotency_key, number)) for number, pipeline in enumerate(pipelines)], response
        )


@contextmanager
def _named_fields(preset: Preset) -> Iterator[None]:
    """Rename the fields in refusals of the `with` block as in the preset's request."""
    try:
        yield
    except Refused as refusal:
        raise in_words_of_preset(refusal, preset) from None
