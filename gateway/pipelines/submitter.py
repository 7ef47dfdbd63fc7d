"""Submission of pipelines: they are checked, then queued as jobs."""

import re

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from gateway.pipelines.auto_inputs import asks_for_auto
from gateway.pipelines.check import check_steps
from gateway.pipelines.references import ids_in
from gateway.pipelines.running.runner import OPERATION, QUEUE
from gateway.pipelines.steps import PipelineChecked, PipelineParams, PipelineRequest, Step
from gateway.routing.upstream import Refused, Upstreams, changed, credentials
from shared.errors import FieldError, Invalid, ReelwrightError, UnknownOperation
from shared.http.json_route import parse
from shared.http.operations.answers import job_answer
from shared.http.operations.check import PENDING
from shared.http.params_text import detail_of
from shared.jobs import Job, JobEnvelope, JobRequest
from shared.log import TRACE, forwarded_headers
from shared.runtime import Runtime

ENVELOPE = tuple(JobEnvelope.model_fields)


class PipelineSubmitter:
    """Submitter that checks pipelines and queues them as jobs."""

    def __init__(self, upstreams: Upstreams, runtime: Runtime) -> None:
        self._upstreams, self._runtime = upstreams, runtime

    async def check(self, request: PipelineRequest, owner: str) -> PipelineChecked:
        """Check all steps of a pipeline; return them with default params filled in."""
        return await check_steps(self._upstreams, request.steps, headers=credentials(self._runtime.settings, owner))

    async def start(self, request: PipelineRequest, owner: str, key: str | None) -> Job:
        """Check a pipeline, and queue it as a job.

        `key`: the request's idempotency key. If an earlier job has the same key, that job is returned; raises
        IdempotencyMismatch if its request was another one. Requests are compared before defaults are filled in, because inputs may
        have been deleted and defaults changed since.
        """
        jobs = self._runtime.jobs
        steps = [step.model_dump(mode="json") for step in request.steps]
        options = {name: getattr(request, name) for name in ENVELOPE}
        original = JobRequest(params={"steps": steps}, **options)
        job = await jobs.earlier(owner=owner, operation=OPERATION, request=original, key=key) if key else None
        if job is not None:
            return job
        _check_ids(request.steps)
        trace = {name: value for name, value in forwarded_headers().items() if name in TRACE}
        params = PipelineParams(steps=(await self.check(request, owner)).steps, trace=trace)
        complete = original.model_copy(update={"params": params.stored()})
        return await jobs.submit(owner=owner, service=QUEUE, operation=OPERATION, request=complete, original=original, key=key)

    async def expand(self, service: str, path: str, body: bytes, request: Request) -> Response | None:
        """Submit or check a request with "auto" inputs as a pipeline.

        Covers `POST /v1/<service>/<operation>/jobs` and `.../check`. Returns None for any other request, which the proxy then
        forwards unchanged.
        """
        if b'"auto"' not in body or not (place := re.fullmatch(r"([a-z-]+)/(jobs|check)", path)):
            return None
        value = parse(body, request.headers.get("content-type", ""))
        if not isinstance(value, dict) or not isinstance(value.get("inputs"), dict) or not asks_for_auto(value["inputs"]):
            return None
        verb, action = place.groups()
        pipeline = _as_pipeline(f"{service}.{verb}", verb, value)
        owner = request.state.owner
        try:
            if action == "check":
                return JSONResponse((await self.check(pipeline, owner)).model_dump(mode="json"))
            job = await self.start(pipeline, owner, request.headers.get("idempotency-key"))
        except (Refused, Invalid, UnknownOperation) as refusal:
            raise _without_step(refusal, pipeline.steps[0]) from None
        return await job_answer(job, owner=owner, prefer=request.headers.get("prefer"), runtime=self._runtime)


def _check_ids(steps: list[Step]) -> None:
    """Raise Invalid if an input of a step is a stand-in (`pending:<kind>`)."""
    for number, step in enumerate(steps):
        for name, source in step.inputs.items():
            if any(text.startswith(PENDING) for text in ids_in(source)):
                detail = "`pending:` works only in checks: give a media id"
                raise Invalid(
                    f"steps.{number}.inputs.{name}: {detail}.", errors=[FieldError(field=f"steps.{number}.inputs.{name}", detail=detail)]
                )


def _as_pipeline(operation: str, verb: str, body: dict[str, object]) -> PipelineRequest:
    """Wrap a request for one operation in a one-step pipeline.

    Raises Invalid, naming the fields.
    """
    step = {"id": verb, "operation": operation, "inputs": body["inputs"], "params": body.get("params") or {}}
    unknown = sorted(body.keys() - {"inputs", "params", *ENVELOPE})
    if unknown:
        raise Invalid(f"Unknown fields: {', '.join(unknown)}.", errors=[FieldError(field=name, detail="unknown field") for name in unknown])
    try:
        return PipelineRequest.model_validate({"steps": [step], **{name: body[name] for name in ENVELOPE if name in body}})
    except ValidationError as error:
        errors = [
            FieldError(field=".".join(map(str, item["loc"])).removeprefix("steps.0."), detail=detail_of(item)) for item in error.errors()
        ]
        raise Invalid("; ".join(f"{item.field}: {item.detail}" for item in errors) + ".", errors=errors) from None


def _without_step(refusal: ReelwrightError, step: Step) -> Refused:
    """Return `refusal` without `step` in its detail and field names.

    The pipeline has only this step, and the client sent a request for one operation.
    """
    problem = refusal.problem()
    errors = [{**error, "field": error["field"].removeprefix("steps.0.")} for error in problem.get("errors", [])]
    detail = str(problem.get("detail", "")).removeprefix(f"Step {step.id!r} ({step.operation}): ").removeprefix("steps.0.")
    return changed(refusal, detail=detail, errors=errors)
