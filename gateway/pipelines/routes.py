"""HTTP routes that start and check pipelines."""

from fastapi import APIRouter, Depends, Request, Response

from gateway.pipelines.placeholders import with_media
from gateway.pipelines.steps import PipelineChecked, PipelineRequest
from gateway.pipelines.submitter import PipelineSubmitter
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import ENDED, REFUSALS, IdempotencyKey, Prefer, job_response
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Job
from shared.runtime import Runtime


def pipeline_routes(submitter: PipelineSubmitter, runtime: Runtime) -> APIRouter:
    """Return the routes that start and check pipelines."""
    unavailable = problems(_503="A service does not answer")
    known_query = [Depends(refuse_unknown_query)]
    router = APIRouter(prefix="/v1/pipelines", tags=["pipelines"], responses=unavailable, route_class=JsonRoute, dependencies=known_query)

    @router.post("/jobs", status_code=202, summary="Run several operations as one job", response_model=Job, responses=REFUSALS | ENDED)
    async def start(
        body: PipelineRequest,
        request: Request,
        response: Response,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Job:
        job = await submitter.start(with_media(body), request.state.owner, idempotency_key)
        return await job_response(job, owner=request.state.owner, prefer=prefer, response=response, runtime=runtime)

    @router.post("/check", summary="Check every step of a pipeline without running any", responses=REFUSALS)
    async def check(body: PipelineRequest, request: Request) -> PipelineChecked:
        return await submitter.check(with_media(body), request.state.owner)

    return router
