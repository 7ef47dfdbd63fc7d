"""Retry of failed and canceled jobs with the same request."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from gateway.pipelines.check import check_steps
from gateway.pipelines.maker_jobs import maker_jobs
from gateway.pipelines.running.graph import resolve_references
from gateway.pipelines.running.runner import OPERATION, QUEUE
from gateway.pipelines.steps import PipelineParams, PipelineResult
from gateway.pipelines.unasked_inputs import UnaskedInputs
from gateway.routing.upstream import Upstreams, credentials
from shared.errors import Conflict, UnknownJob, UnknownMedia
from shared.http.operations.answers import ENDED, IdempotencyKey, Prefer, job_response
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Job, JobRequest, Status
from shared.jobs.making import Making
from shared.log import TRACE, forwarded_headers
from shared.runtime import Runtime

REFUSALS = problems(
    _404="Unknown job, or an input that was deleted",
    _409="The job has not ended, or it succeeded",
    _429="The queue is full, or the API key has too many unfinished jobs",
    _503="The weights of a model are not installed, or the service does not answer",
)


def retry_routes(upstreams: Upstreams, unasked: UnaskedInputs, runtime: Runtime) -> APIRouter:
    """Return the route that retries a job."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=[Depends(refuse_unknown_query)])
    retrier = Retrier(upstreams, unasked, runtime)

    @router.post(
        "/{job_id}/retry",
        status_code=202,
        summary="Run a failed or canceled job again, as a new job",
        response_model=Job,
        responses=REFUSALS | ENDED,
    )
    async def retry(
        job_id: str, request: Request, response: Response, prefer: Prefer = None, idempotency_key: IdempotencyKey = None
    ) -> Job:
        """Retry a job; a pipeline continues from its failed steps.

        The outputs of the steps that succeeded are used again while they exist.
        """
        owner = request.state.owner
        job = await retrier.retry(job_id, owner, idempotency_key)
        return await job_response(job, owner=owner, prefer=prefer, response=response, runtime=runtime)

    return router


class Retrier:
    """Submitter that sends the requests of failed and canceled jobs again."""

    def __init__(self, upstreams: Upstreams, unasked: UnaskedInputs, runtime: Runtime) -> None:
        self._upstreams, self._unasked, self._runtime = upstreams, unasked, runtime

    async def retry(self, job_id: str, owner: str, key: str | None) -> Job:
        """Submit the request of an earlier job as a new job.

        `key`: an idempotency key. Raises UnknownJob; Conflict if the job has succeeded or has not ended; and what submitting raises.
        """
        job = await self._runtime.jobs.get(owner, job_id)
        if not job.status.ended:
            raise Conflict(f"Job {job_id} is {job.status}: cancel it first, or wait until it ends.")
        if job.status is Status.SUCCEEDED:
            advice = 'To make its result again, send its request again with `"cache": false`.'
            raise Conflict(f"Job {job_id} has succeeded; there is nothing to retry. {advice}")
        request = await self._runtime.jobs.request_of(owner, job_id)
        if job.operation == OPERATION:
            return await self._resume(job, request, owner, key)
        service, _, verb = job.operation.partition(".")
        headers = credentials(self._runtime.settings, owner) | ({"Idempotency-Key": key} if key else {})
        async with maker_jobs(self._upstreams, self._runtime.jobs, owner) as makers:
            body = await self._unasked.complete(job.operation, _body(request), headers, makers)
            new = Job.model_validate(await self._upstreams.ask(service, "POST", f"/{verb}/jobs", headers=headers, json=body))
            makers.accepted(new)
            return new

    async def _resume(self, job: Job, request: JobRequest, owner: str, key: str | None) -> Job:
        """Queue a pipeline again, reusing its finished steps.

        The other steps are checked first.
        """
        jobs = self._runtime.jobs
        original = request.model_copy(update={"params": {"retry": job.id}})
        if key and (earlier := await jobs.earlier(owner=owner, operation=OPERATION, request=original, key=key)):
            return earlier
        steps = PipelineParams.model_validate(request.params).steps
        finished_jobs = await self._done(job, owner)
        remaining_steps = [resolve_references(step, finished_jobs) for step in steps if step.id not in finished_jobs]
        await check_steps(self._upstreams, remaining_steps, headers=credentials(self._runtime.settings, owner))
        trace = {name: value for name, value in forwarded_headers().items() if name in TRACE}
        params = PipelineParams(steps=steps, reused={name: past.id for name, past in finished_jobs.items()}, trace=trace)
        complete = request.model_copy(update={"params": params.stored()})
        return await jobs.submit(owner=owner, service=QUEUE, operation=OPERATION, request=complete, original=original, key=key)

    async def _done(self, job: Job, owner: str) -> dict[str, Job]:
        """Return the jobs of the finished steps of the pipeline `job`, by step id.

        Finished steps are those that succeeded and still have their outputs.
        """
        finished_jobs = {}
        for step in PipelineResult.model_validate(job.result).steps if job.result else ():
            if step.state.done and step.job is not None:
                try:
                    past = await self._runtime.jobs.get(owner, step.job)
                    for record in past.outputs.values():
                        await asyncio.to_thread(self._runtime.media.get, owner, record.id)
                except (UnknownJob, UnknownMedia):
                    continue  # deleted since: the step runs again
                finished_jobs[step.id] = past
        return finished_jobs


def _body(request: JobRequest) -> dict[str, Any]:
    """Return a request as JSON, including its webhook's secret.

    Inputs are left out if the gateway let another job make them.
    """
    body = request.model_dump(mode="json", exclude={"webhook"})
    makings = {name: Making.read(source) for name, source in body["inputs"].items()}
    body["inputs"] |= {name: None for name, making in makings.items() if making and making.is_optional}
    if request.webhook is not None:
        secret = request.webhook.secret
        body["webhook"] = request.webhook.model_dump(mode="json") | {"secret": secret and secret.get_secret_value()}
    return body
