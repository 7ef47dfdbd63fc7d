"""Execution of pipelines as jobs.

The runner starts each step as a job of its service once the step's inputs exist, and waits for all jobs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from gateway.pipelines.maker_jobs import maker_jobs
from gateway.pipelines.running.board import Board, StepRun
from gateway.pipelines.running.expected_times import expected_seconds
from gateway.pipelines.running.graph import media_ids, resolve_references
from gateway.pipelines.steps import PipelineParams, Step
from gateway.pipelines.unasked_inputs import UnaskedInputs
from gateway.routing.upstream import Upstreams, quota_credentials
from shared.errors import Conflict, FieldError, ReelwrightError, UnknownJob, may_pass
from shared.jobs import Claim, Job, JobWarning, Outcome, PartlyFailed, ProgressLog, Queue, StepState
from shared.jobs.estimate import video_seconds
from shared.json_digest import json_digest
from shared.runtime import Runtime

QUEUE = "pipelines"
OPERATION = "pipelines.run"
AT_ONCE = 64  # most pipelines that run at the same time; they only wait for jobs
POLL_S = 0.25
RETRY_S, LONGEST_RETRY_S = 2.0, 30.0
"""Shortest and longest pause before a refused step is submitted again, in seconds."""

Starting = dict["asyncio.Task[Job]", StepRun]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PipelineRunner:
    """Runner of pipelines, which are jobs of the gateway's own queue."""

    upstreams: Upstreams
    runtime: Runtime

    @cached_property
    def _unasked(self) -> UnaskedInputs:
        return UnaskedInputs(self.upstreams)

    @property
    def queue(self) -> Queue:
        """The queue to register with the job engine."""
        return Queue(concurrency=AT_ONCE, run=self.run, discard=self.discard)

    async def run(self, claim: Claim, progress: ProgressLog) -> Outcome:
        """Run the steps of a pipeline, each after its dependencies.

        Independent steps run at the same time. A failed step does not stop the steps that do not need it. Cancelling the pipeline cancels
        the running steps. Raises PartlyFailed at the end if a step failed.
        """
        params = PipelineParams.model_validate(claim.params)
        board = Board.of(params.steps, await self._weights(claim.owner, params.steps))
        starting: Starting = {}
        await self._reuse(claim.owner, params.reused, board)
        try:
            while True:
                for run in board.ready():
                    run.submitted = True
                    starting[asyncio.create_task(self._submit(claim, run, board, params.trace))] = run
                if not board.open:
                    break
                await self._wait(starting)
                _take_started(starting)
                await self._look(claim.owner, board)
                await _show(board, progress)
        except asyncio.CancelledError:
            await self._stop(claim.owner, board, starting)
            raise
        await _show(board, progress)
        outcome = Outcome(**vars(board.outcome()), cached=all(run.state is StepState.CACHED for run in board.runs))
        if board.failed:
            errors = [FieldError(field=f"steps.{run.step.id}", detail=run.detail or "") for run in board.failed]
            raise PartlyFailed(board.failure(), outcome=outcome, errors=errors)
        return outcome

    async def discard(self, _claim: Claim, _outcome: Outcome) -> None:
        """Discard nothing, because the outputs belong to the jobs of the steps."""

    async def _weights(self, owner: str, steps: list[Step]) -> dict[str, float]:
        """Return the expected seconds of each step, by step id."""
        media = {step.id: [media_id for media_id in media_ids(step) if "." not in media_id] for step in steps}
        lengths = {name: await asyncio.to_thread(video_seconds, self.runtime.media, owner, ids) for name, ids in media.items()}
        try:
            past = {operation: await self.runtime.jobs.past_runs(operation) for operation in {step.operation for step in steps}}
        except SQLAlchemyError as error:
            log.warning("the past runs of operations were not read: %s", error)
            past = {}
        return expected_seconds(steps, past, lengths)

    async def _reuse(self, owner: str, reused: Mapping[str, str], board: Board) -> None:
        """Take over the finished steps of the earlier pipeline that this pipeline retries.

        `reused`: step id -> job id.
        """
        for run in board.runs:
            if run.step.id in reused:
                with contextlib.suppress(UnknownJob):  # deleted since: the step runs again
                    run.end(await self.runtime.jobs.get(owner, reused[run.step.id]), reused=True)
                    run.submitted = True

    async def _submit(self, claim: Claim, run: StepRun, board: Board, trace: Mapping[str, str]) -> Job:
        """Submit a step as a job of its service.

        The request is repeated if the service is down, its queue is full, or the owner has too many unfinished jobs. The idempotency key
        names pipeline, step and content, so that after a crash the pipeline gets the job that it had already submitted. Jobs that make
        inputs of the step go on meanwhile. Raises the refusal of the service.
        """
        step = resolve_references(run.step, board.succeeded_jobs())
        digest = json_digest([step.operation, step.inputs, step.params])[:32]
        constant = dict(trace) | {"Idempotency-Key": f"{claim.id}/{step.id}/{digest}"}
        body: dict[str, Any] = {"inputs": step.inputs, "params": step.params, "metadata": {"pipeline": claim.id, "step": step.id}}
        body |= ({} if claim.cache else {"cache": False}) | ({} if claim.listed else {"listed": False})
        async with maker_jobs(self.upstreams, self.runtime.jobs, claim.owner) as makers:
            while True:
                max_jobs = self.runtime.keys.max_jobs(claim.owner)
                headers = constant | quota_credentials(self.runtime.settings, claim.owner, max_jobs=max_jobs)  # renewed each time
                try:
                    complete = await self._unasked.complete(step.operation, body, headers, makers)
                    job = await self._send(claim.owner, step, headers, complete)
                    makers.accepted(job)
                    run.detail = None
                    return job
                except ReelwrightError as error:
                    if not may_pass(error.problem(), error.status, error.headers.get("Retry-After")):
                        raise
                    run.detail = error.problem()["detail"]
                    await asyncio.sleep(pause_s(error))

    async def _send(self, owner: str, step: Step, headers: dict[str, str], body: dict[str, Any]) -> Job:
        """Send a step's request, and return its job.

        If the pipeline is canceled before the answer, the new job is canceled too.
        """
        asking = asyncio.ensure_future(self.upstreams.ask(step.service, "POST", f"/{step.verb}/jobs", headers=headers, json=body))
        try:
            return Job.model_validate(await asyncio.shield(asking))
        except asyncio.CancelledError:
            if self.runtime.jobs.stopping:
                asking.cancel()
            else:
                with contextlib.suppress(ReelwrightError):
                    await self._cancel(owner, Job.model_validate(await asking).id)
            raise

    async def _wait(self, starting: Starting) -> None:
        """Wait until a submission ends, but at most POLL_S seconds."""
        if starting:
            await asyncio.wait(starting, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(POLL_S)

    async def _look(self, owner: str, board: Board) -> None:
        """Update the board with the current states of the steps' jobs."""
        followed = [(run, run.job) for run in board.runs if run.job is not None and not run.state.ended]
        if not followed:
            return
        try:
            states = await self.runtime.jobs.states(owner, [job.id for _, job in followed])
            for run, job in followed:
                state = states.get(job.id)
                if state is None or state.status.ended:
                    await self._end(owner, run, job.id)
                else:
                    run.follow(state)
        except SQLAlchemyError as error:
            log.warning("looking for the steps of a pipeline failed; trying again: %s", error)

    async def _end(self, owner: str, run: StepRun, job_id: str) -> None:
        """Mark a step as ended, with the outcome of its job.

        If the job has been deleted, the step ends as failed.
        """
        try:
            run.end(await self.runtime.jobs.get(owner, job_id))
        except UnknownJob as error:
            run.fail(error)

    async def _stop(self, owner: str, board: Board, starting: Starting) -> None:
        """Stop submitting, and cancel the jobs of a canceled pipeline.

        At a shutdown the jobs stay, and the next process continues the pipeline.
        """
        for task in starting:
            task.cancel()
        if starting:
            await asyncio.wait(starting)
        if not self.runtime.jobs.stopping:
            await asyncio.gather(*(self._cancel(owner, run.job.id) for run in board.runs if run.job is not None and not run.state.ended))

    async def _cancel(self, owner: str, job_id: str) -> None:
        with contextlib.suppress(Conflict, UnknownJob):  # it ended at the same moment
            await self.runtime.jobs.cancel(owner, job_id)


def _take_started(starting: Starting) -> None:
    """Record the outcome of each finished submission."""
    for task in [task for task in starting if task.done()]:
        run = starting.pop(task)
        try:
            job = task.result()
        except ReelwrightError as error:
            run.fail(error)
            continue
        run.job = job
        if job.status.ended:
            run.end(job)


async def _show(board: Board, progress: ProgressLog) -> None:
    """Report the progress of all steps.

    If a step has changed its state, outputs, results and warnings are reported too.
    """
    steps = [run.shown() for run in board.runs]
    before = [step.state for step in progress.steps or ()]
    changed = before != [step.state for step in steps]
    for run in board.runs if changed else ():
        for warning in run.job.warnings if run.job is not None else ():
            await progress(JobWarning(f"{run.step.id}: {warning}"))
    await progress.show_steps(board.progress(), steps, outcome=board.outcome() if changed else None)


def pause_s(error: ReelwrightError) -> float:
    """Return the seconds to wait before repeating a refused request.

    It is the refusal's Retry-After, but at least RETRY_S and at most LONGEST_RETRY_S.
    """
    retry_after = error.headers.get("Retry-After", "")
    return min(max(float(retry_after) if retry_after.isdecimal() else 0.0, RETRY_S), LONGEST_RETRY_S)
