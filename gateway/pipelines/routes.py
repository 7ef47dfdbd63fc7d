"""HTTP routes of pipelines."""

from fastapi import APIRouter, Request, Response

from gateway.pipelines.check import check_steps
from gateway.pipelines.presets import Preset, presets
from gateway.pipelines.runner import OPERATION, QUEUE
from gateway.pipelines.steps import PipelineChecked, PipelineRequest
from gateway.routing.upstream import Upstreams, credentials
from shared.http.json_route import JsonRoute
from shared.http.problems import problems
from shared.http.service import ENDED, REFUSALS, IdempotencyKey, Prefer, answered
from shared.jobs import Job, JobRequest
from shared.log import TRACE, sent_on
from shared.runtime import Runtime


def pipeline_routes(upstreams: Upstreams, runtime: Runtime) -> APIRouter:
    """Return the routes under /v1/pipelines."""
    unavailable = problems(_503="A service does not answer")
    router = APIRouter(prefix="/v1/pipelines", tags=["pipelines"], responses=unavailable, route_class=JsonRoute)

    async def checked(body: PipelineRequest, owner: str) -> PipelineChecked:
        return await check_steps(upstreams, body.steps, headers=credentials(runtime.settings, owner))

    @router.post(
        "/jobs", status_code=202, summary="Run several operations one after the other", response_model=Job, responses=REFUSALS | ENDED
    )
    async def start(
        body: PipelineRequest,
        request: Request,
        response: Response,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Job:
        owner, key = request.state.owner, idempotency_key
        # The idempotency key compares the request as it was sent: inputs may have been deleted and defaults changed since.
        steps = [step.model_dump(mode="json") for step in body.steps]
        as_sent = JobRequest(params={"steps": steps}, webhook=body.webhook, metadata=body.metadata, priority=body.priority)
        job = await runtime.jobs.earlier(owner=owner, operation=OPERATION, request=as_sent, key=key) if key else None
        if job is None:
            trace = {name: value for name, value in sent_on().items() if name in TRACE}
            params = (await checked(body, owner)).model_dump(mode="json") | ({"trace": trace} if trace else {})
            filled_in = as_sent.model_copy(update={"params": params})
            job = await runtime.jobs.submit(owner=owner, service=QUEUE, operation=OPERATION, request=filled_in, original=as_sent, key=key)
        return await answered(job, owner=owner, prefer=prefer, response=response, runtime=runtime)

    @router.post("/check", summary="Check every step of a pipeline without running any", responses=REFUSALS)
    async def check(body: PipelineRequest, request: Request) -> PipelineChecked:
        return await checked(body, request.state.owner)

    @router.get("/presets", summary="List the named pipelines")
    async def list_presets(request: Request) -> list[Preset]:
        operations = await upstreams.operations(credentials(runtime.settings, request.state.owner))
        return presets({operation["name"] for operation in operations if operation["available"]})

    return router
