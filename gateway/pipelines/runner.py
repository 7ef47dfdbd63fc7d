"""Pipelines: one job whose steps are jobs. Each is checked before the first one runs, and a finished step is never run again."""

import asyncio
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from gateway.pipelines.presets import Preset, presets
from gateway.pipelines.references import check_promised, references, stand_in, taken
from gateway.routing.upstream import Refused, Upstreams, credentials
from shared.errors import Conflict, Invalid, OperationFailed, ReelwrightError, UnknownJob, UnknownOperation
from shared.http.json_route import JsonRoute
from shared.http.problems import problems
from shared.http.service import ENDED, REFUSALS, SAMPLE_ID, IdempotencyKey, Prefer, answered
from shared.jobs import PATIENT_POLL_S, Claim, Job, JobEnvelope, JobRequest, JobWarning, Outcome, ProgressLog, ProgressUpdate, Queue, Status
from shared.log import TRACE, sent_on
from shared.runtime import Runtime

QUEUE = "pipelines"
OPERATION = "pipelines.run"
AT_ONCE = 64  # a pipeline only waits for its steps
POLL_S = 0.25
REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]*)\.([a-z_]+)")
EXAMPLE: JsonDict = {
    "steps": [{"id": "ramp", "operation": "speed-ramp.render", "inputs": {"video": SAMPLE_ID}, "params": {"max_speed": 3}}]
}


class Step(BaseModel):
    """One step: an operation on media, or on what an earlier step made."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="The step's name, for later steps to refer to.")
    operation: str = Field(examples=["speed-ramp.render"])
    inputs: dict[str, str | list[str] | None] = Field({}, description="Media ids, or `step.output` for what an earlier step made.")
    params: dict[str, Any] = Field(
        {}, description='The operation\'s params. `{"from": "step.field"}` stands for a field of the result of an earlier step.'
    )


class PipelineRequest(JobEnvelope):
    """The body of `POST /v1/pipelines/jobs`."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    steps: list[Step] = Field(min_length=1, max_length=64)


class PipelineChecked(BaseModel):
    """Every step is in order; its params are filled in."""

    steps: list[Step]


@dataclass(frozen=True)
class Pipelines:
    """Checks and runs pipelines over the services' own HTTP endpoints."""

    upstreams: Upstreams
    runtime: Runtime

    @property
    def queue(self) -> Queue:
        """Pipelines as a queue of the job engine."""
        return Queue(concurrency=AT_ONCE, poll_s=PATIENT_POLL_S, run=self.run, discard=self.discard)

    async def check(self, steps: Sequence[Step], owner: str) -> PipelineChecked:
        """Ask every step's service whether it would take it. Raises the first refusal, naming the step."""
        kinds: dict[str, str] = {}
        checked: list[Step] = []
        known: dict[str, dict[str, Any]] = {}  # every operation of the services that were asked: once each, not once a step
        headers = credentials(self.runtime.settings, owner)
        for number, step in enumerate(steps):
            where = f"steps.{number}"
            if any(step.id == earlier.id for earlier in checked):
                raise Invalid(f"{where}.id: {step.id!r} is the name of an earlier step too.", errors=[_error(f"{where}.id", "not unique")])
            service, verb = self._address(step, where)
            inputs = {name: _each(given, partial(_pending, kinds, f"{where}.inputs.{name}")) for name, given in step.inputs.items()}
            try:
                if step.operation not in known:
                    operations = await self.upstreams.ask(service, "GET", "/operations", headers=headers)
                    known |= {one["name"]: one for one in operations}
                if step.operation not in known:
                    raise _no_operation(step, where)
                pending = _pending_params(step, checked, known)
                body = {"inputs": inputs, "params": step.params | pending}
                answer = await self.upstreams.ask(service, "POST", f"/{verb}/check", headers=headers, json=body)
            except (Refused, Invalid) as refused:
                raise _in_step(refused, where, step) from None
            kinds |= {f"{step.id}.{name}": kind for name, kind in known[step.operation]["outputs"].items()}
            params = answer["params"] | {name: step.params[name] for name in pending}
            checked.append(step.model_copy(update={"params": params}))
        return PipelineChecked(steps=checked)

    async def run(self, claim: Claim, progress: ProgressLog) -> Outcome:
        """Run the steps in order; cancelling cancels the step that runs."""
        made: dict[str, dict[str, Any]] = {}
        done: list[dict[str, Any]] = []
        results: dict[str, Any] = {}
        steps = [Step.model_validate(step) for step in claim.params["steps"]]
        for number, step in enumerate(steps):
            job = await self._start(claim, step, made, results)
            try:
                job = await self._follow(claim, job, progress, number=number, of=len(steps))
            except asyncio.CancelledError:
                if not self.runtime.jobs.stopping:
                    await asyncio.shield(self._cancel(claim.owner, job.id))
                raise
            if job.status is not Status.SUCCEEDED:
                why = (job.error or {}).get("detail") or f"its job {job.id} was canceled."
                raise OperationFailed(f"Step {step.id!r} ({step.operation}) did not succeed: {why}")
            for warning in job.warnings:
                await progress(JobWarning(f"{step.id}: {warning}"))
            made |= {f"{step.id}.{name}": record.model_dump(mode="json", exclude={"urls"}) for name, record in job.outputs.items()}
            results[step.id] = job.result
            done.append({"id": step.id, "operation": step.operation, "job": job.id, "result": job.result, "metrics": job.metrics})
        return Outcome(result={"steps": done}, outputs=made)

    async def discard(self, claim: Claim, outcome: Outcome) -> None:
        """The steps are jobs of their own and keep what they made."""

    async def _start(self, claim: Claim, step: Step, made: dict[str, dict[str, Any]], results: dict[str, Any]) -> Job:
        service, verb = self._address(step, step.id)
        inputs = {name: _each(given, lambda one: made[one]["id"] if one in made else one) for name, given in step.inputs.items()}
        params = step.params | {name: taken(results[of], path, of) for name, (of, path) in references(step.params).items()}
        digest = hashlib.sha256(json.dumps([step.operation, inputs, params], sort_keys=True).encode()).hexdigest()[:32]
        headers = credentials(self.runtime.settings, claim.owner) | claim.params.get("trace", {})
        headers |= {"Idempotency-Key": f"{claim.id}/{step.id}/{digest}"}
        body = {"inputs": inputs, "params": params, "metadata": {"pipeline": claim.id, "step": step.id}}
        while True:
            try:
                return Job.model_validate(await self.upstreams.ask(service, "POST", f"/{verb}/jobs", headers=headers, json=body))
            except ReelwrightError as error:
                if error.status not in (429, 503):
                    raise OperationFailed(f"Step {step.id!r} ({step.operation}) was refused: {error.detail}") from error
                await asyncio.sleep(2)  # the queue is full or the service is being restarted: the pipeline can wait

    async def _follow(self, claim: Claim, job: Job, progress: ProgressLog, *, number: int, of: int) -> Job:
        while not job.status.ended:
            await asyncio.sleep(POLL_S)
            job = await self.runtime.jobs.get(claim.owner, job.id)
            if job.progress is not None:
                fraction = round((number + job.progress.fraction) / of, 4)
                stage = f"{job.operation}: {job.progress.stage}"
                await progress(ProgressUpdate(**job.progress.model_dump() | {"fraction": fraction, "stage": stage}))
        return job

    async def _cancel(self, owner: str, job_id: str) -> None:
        try:
            await self.runtime.jobs.cancel(owner, job_id)
        except (Conflict, UnknownJob):
            return  # it ended at the same moment

    def _address(self, step: Step, where: str) -> tuple[str, str]:
        service, _, verb = step.operation.partition(".")
        if not re.fullmatch(r"[a-z-]+\.[a-z-]+", step.operation) or service not in self.upstreams.clients:
            raise _no_operation(step, where)
        return service, verb


def pipeline_routes(pipelines: Pipelines) -> APIRouter:
    """Everything under /v1/pipelines."""
    router = APIRouter(
        prefix="/v1/pipelines", tags=["pipelines"], responses=problems(_503="A service does not answer"), route_class=JsonRoute
    )
    runtime = pipelines.runtime

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
        owner = request.state.owner
        # As it was asked: the first answer holds even if an input has been deleted since, or another default has come.
        steps = [step.model_dump(mode="json") for step in body.steps]
        asked = JobRequest(params={"steps": steps}, webhook=body.webhook, metadata=body.metadata, priority=body.priority)
        key = idempotency_key
        job = await runtime.jobs.earlier(owner=owner, operation=OPERATION, request=asked, key=key) if key else None
        if job is None:
            checked = await pipelines.check(body.steps, owner)
            trace = {name: value for name, value in sent_on().items() if name in TRACE}
            params = checked.model_dump(mode="json") | ({"trace": trace} if trace else {})
            request_kept = asked.model_copy(update={"params": params})
            job = await runtime.jobs.submit(owner=owner, service=QUEUE, operation=OPERATION, request=request_kept, asked=asked, key=key)
        return await answered(job, owner=owner, prefer=prefer, response=response, runtime=runtime)

    @router.post("/check", summary="Check every step of a pipeline without running any", responses=REFUSALS)
    async def check(body: PipelineRequest, request: Request) -> PipelineChecked:
        return await pipelines.check(body.steps, request.state.owner)

    @router.get("/presets", summary="Pipelines that have a name")
    async def named(request: Request) -> list[Preset]:
        found = await pipelines.upstreams.operations(credentials(runtime.settings, request.state.owner))
        return presets({one["name"] for one in found if one["available"]})

    return router


def _each(given: str | list[str] | None, change: Any) -> Any:
    """`change` applied to one id, or to each of a list."""
    if given is None:
        return None
    return [change(one) for one in given] if isinstance(given, list) else change(given)


def _pending(kinds: dict[str, str], where: str, given: str) -> str:
    """A reference to an earlier step's output as `check` takes it; anything else as it is."""
    if given in kinds:
        return f"pending:{kinds[given]}"
    if REFERENCE.fullmatch(given):
        known = f"These are made before: {', '.join(sorted(kinds))}." if kinds else "Nothing is made before this step."
        detail = f"{given!r} is not an output of an earlier step. {known}"
        raise Invalid(f"{where}: {detail}", errors=[_error(where, detail)])
    return given


def _pending_params(step: Step, earlier: Sequence[Step], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Something to check with for each param that an earlier step's result will give."""
    schema = known[step.operation]["params"]
    operations = {one.id: one.operation for one in earlier}
    pending = {}
    for name, (of, path) in references(step.params).items():
        if of not in operations:
            before = f"these come before: {', '.join(operations)}" if operations else "no step comes before this one"
            detail = f"there is no earlier step {of!r}; {before}"
            raise Invalid(f"params.{name}: {detail}.", errors=[_error(f"params.{name}", detail)])
        check_promised(name, path, of, known[operations[of]]["result"])
        pending[name] = stand_in(schema["properties"].get(name, {}), schema)
    return pending


def _no_operation(step: Step, where: str) -> UnknownOperation:
    detail = f"no operation is called {step.operation[:64]!r}; GET /v1/operations lists them"
    return UnknownOperation(f"{where}.operation: {detail}.", errors=[_error(f"{where}.operation", detail)])


def _in_step(refused: Refused | Invalid, where: str, step: Step) -> Refused:
    problem = refused.problem()
    errors = [{**one, "field": f"{where}.{one['field']}"} for one in problem.get("errors", [])]
    detail = f"Step {step.id!r} ({step.operation}): {problem.get('detail')}"
    return Refused({**problem, "detail": detail, **({"errors": errors} if errors else {})}, refused.status)


def _error(field: str, detail: str) -> dict[str, str]:
    return {"field": field, "detail": detail}
