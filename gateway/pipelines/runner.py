"""Runner of pipelines: starts each step as a job of its service and waits for its end."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from gateway.pipelines.check import map_ids
from gateway.pipelines.references import references, value_at
from gateway.pipelines.steps import Step
from gateway.routing.upstream import Upstreams, credentials
from shared.errors import Conflict, OperationFailed, ReelwrightError, UnknownJob
from shared.jobs import PATIENT_POLL_S, Claim, Job, JobWarning, Outcome, ProgressLog, ProgressUpdate, Queue, Status
from shared.runtime import Runtime

QUEUE = "pipelines"
OPERATION = "pipelines.run"
AT_ONCE = 64  # a pipeline only waits for its steps
POLL_S = 0.25
RETRY_S = 2.0
"""Pause before a step is submitted again to a service that is down or whose queue is full."""


@dataclass(frozen=True)
class PipelineRunner:
    """Runs pipelines as jobs of the gateway's own queue."""

    upstreams: Upstreams
    runtime: Runtime

    @property
    def queue(self) -> Queue:
        """The queue to register with the job engine."""
        return Queue(concurrency=AT_ONCE, poll_s=PATIENT_POLL_S, run=self.run, discard=self.discard)

    async def run(self, claim: Claim, progress: ProgressLog) -> Outcome:
        """Run the steps in order.

        Cancelling the pipeline cancels the running step. Raises OperationFailed if a step is refused, fails or is canceled.
        """
        outputs: dict[str, dict[str, Any]] = {}  # "step.output" -> media record
        results: dict[str, Any] = {}
        summaries: list[dict[str, Any]] = []
        steps = [Step.model_validate(step) for step in claim.params["steps"]]
        for number, step in enumerate(steps):
            job = await self._start(claim, step, outputs, results)
            try:
                job = await self._follow(claim, job, progress, number=number, count=len(steps))
            except asyncio.CancelledError:
                if not self.runtime.jobs.stopping:
                    await asyncio.shield(self._cancel(claim.owner, job.id))
                raise
            if job.status is not Status.SUCCEEDED:
                reason = (job.error or {}).get("detail") or f"its job {job.id} was canceled."
                raise OperationFailed(f"Step {step.id!r} ({step.operation}) did not succeed: {reason}")
            for warning in job.warnings:
                await progress(JobWarning(f"{step.id}: {warning}"))
            outputs |= {f"{step.id}.{name}": record.model_dump(mode="json", exclude={"urls"}) for name, record in job.outputs.items()}
            results[step.id] = job.result
            summaries.append({"id": step.id, "operation": step.operation, "job": job.id, "result": job.result, "metrics": job.metrics})
        return Outcome(result={"steps": summaries}, outputs=outputs)

    async def discard(self, _claim: Claim, _outcome: Outcome) -> None:
        """Keep all outputs: they belong to the jobs of the steps."""

    async def _start(self, claim: Claim, step: Step, outputs: dict[str, dict[str, Any]], results: dict[str, Any]) -> Job:
        """Submit a step as a job of its service.

        The idempotency key names pipeline, step and content. If the pipeline restarts after a crash, it gets the job that it had
        already submitted.
        """
        inputs = {
            name: map_ids(ids, lambda media_id: outputs[media_id]["id"] if media_id in outputs else media_id)
            for name, ids in step.inputs.items()
        }
        params = step.params | {name: value_at(results[source], path, source) for name, (source, path) in references(step.params).items()}
        digest = hashlib.sha256(json.dumps([step.operation, inputs, params], sort_keys=True).encode()).hexdigest()[:32]
        headers = credentials(self.runtime.settings, claim.owner) | claim.params.get("trace", {})
        headers |= {"Idempotency-Key": f"{claim.id}/{step.id}/{digest}"}
        body = {"inputs": inputs, "params": params, "metadata": {"pipeline": claim.id, "step": step.id}}
        while True:
            try:
                job = await self.upstreams.ask(step.service, "POST", f"/{step.verb}/jobs", headers=headers, json=body)
                return Job.model_validate(job)
            except ReelwrightError as error:
                if error.status not in (429, 503):
                    raise OperationFailed(f"Step {step.id!r} ({step.operation}) was refused: {error.detail}") from error
                await asyncio.sleep(RETRY_S)

    async def _follow(self, claim: Claim, job: Job, progress: ProgressLog, *, number: int, count: int) -> Job:
        """Follow a step's job to its end.

        Its progress is reported as part `number` of `count` of the pipeline's progress.
        """
        while not job.status.ended:
            await asyncio.sleep(POLL_S)
            job = await self.runtime.jobs.get(claim.owner, job.id)
            if job.progress is not None:
                fraction = round((number + job.progress.fraction) / count, 4)
                stage = f"{job.operation}: {job.progress.stage}"
                await progress(ProgressUpdate(**job.progress.model_dump() | {"fraction": fraction, "stage": stage}))
        return job

    async def _cancel(self, owner: str, job_id: str) -> None:
        try:
            await self.runtime.jobs.cancel(owner, job_id)
        except (Conflict, UnknownJob):
            return  # it ended at the same moment
