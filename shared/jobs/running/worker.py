"""Job execution in this process, robust against crashes and restarts.

DBOS Transact keeps the queues and gives every job to exactly one process; the ledger keeps what the API says about it; takeover.py recovers
the jobs of dead processes. Nothing outside this package imports DBOS.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from dbos import DBOS

from shared.errors import FieldError, OperationFailed, ReelwrightError, TimedOut, WorkerCrashed
from shared.jobs import webhooks
from shared.jobs.client import Jobs
from shared.jobs.database.dbos_setup import JOB, busy_executors, configure, first_line, jobs_of, recover
from shared.jobs.database.queue_notices import ALL
from shared.jobs.database.rows import Claim, Ending
from shared.jobs.database.store import FETCHES, WEBHOOKS
from shared.jobs.record import Status
from shared.jobs.running.files.job_log import report_wait
from shared.jobs.running.locks import make_locks
from shared.jobs.running.progress_log import ProgressLog
from shared.jobs.running.queue_polling import QueueWaker
from shared.jobs.running.run_log import RunLog
from shared.jobs.running.takeover import Lifeline
from shared.jobs.running.url_fetcher import UrlFetcher
from shared.log import CURRENT_JOB, fields
from shared.settings import Settings

QUEUE_POLL_S = 60.0
"""Interval of polling a queue that nothing wakes (queue_polling.py)."""
CANCEL_POLL_S = 0.2
DATABASE_RETRY_S = 0.5
WEBHOOKS_AT_ONCE = 64  # deliveries in progress; most of them wait for their next attempt
FETCHES_AT_ONCE = 16
MAX_FAILURES = 20
"""Number of crashes of the server during a job after which the job fails. Jobs run in child processes and rarely cause a crash."""

log = logging.getLogger(__name__)
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result and outputs of a job that succeeded.

    `version`: of the operation that ran; `outputs`: name -> media record. `result_key`: digest of all that the result depends on; None if
    the result is not remembered. `cached`: whether an earlier job made the result.
    """

    result: Any
    version: int | None = None
    result_key: str | None = None
    cached: bool = False
    outputs: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


class PartlyFailed(OperationFailed):
    """Failure of a job that keeps the finished part of its result."""

    title = "Operation failed"

    def __init__(self, detail: str, *, outcome: Outcome, errors: Sequence[FieldError]):
        super().__init__(detail, errors=errors)
        self.outcome = outcome
        """Result and outputs made before the failure; the failed job keeps them."""


async def _nothing(_job_id: str) -> None:
    """Do nothing: the default of `Queue.settled`."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue whose jobs this process runs.

    `run(claim, progress)` does one job; `discard(claim, outcome)` deletes the outputs of a job that has meanwhile ended another way.
    `settled(job_id)` is awaited when this process is done with a job: its outcome, if any, is written.
    """

    concurrency: int
    run: Callable[[Claim, ProgressLog], Awaitable[Outcome]]
    discard: Callable[[Claim, Outcome], Awaitable[None]]
    settled: Callable[[str], Awaitable[None]] = _nothing


class JobWorker:
    """An executor of jobs in this process, between `start` and `stop`."""

    def __init__(self, jobs: Jobs, settings: Settings, fetcher: UrlFetcher):
        self._jobs, self._store, self._settings, self._fetcher = jobs, jobs.store, settings, fetcher
        self.working = False
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._has_jobs = asyncio.Event()
        self._queues: Mapping[str, Queue] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, queues: Mapping[str, Queue], *, patient: bool = False) -> None:
        """Open the database and start running the jobs of `queues`.

        `queues`: queue name -> Queue. `patient`: wait for a database server that does not answer.
        """
        self._queues, self._jobs.stopping = queues, False
        self._lifeline = await self._connect(patient)
        configure(self._store.engine, executor=self._lifeline.executor)
        self._waker = QueueWaker(claimed=self._lifeline.hurry)
        self._waker.install()

        @DBOS.workflow(name=JOB, max_recovery_attempts=None)
        async def job(job_id: str) -> None:  # DBOS marks the function it registers, which a method does not allow
            await self._workflow(job_id)

        DBOS.workflow(name="webhook", max_recovery_attempts=None)(webhooks.workflow(self._store, self._settings))

        @DBOS.workflow(name="fetch", max_recovery_attempts=None)
        async def fetch(job_id: str) -> None:
            await self._fetch(job_id)

        DBOS.listen_queues([*queues, WEBHOOKS, FETCHES])
        DBOS.launch()  # on the event loop's own thread: DBOS then runs the workflows on this loop
        self.working = True
        self._jobs.on_canceled = lambda job_id: self._interrupt({job_id})
        for name, queue in queues.items():
            await self._register(name, queue.concurrency)
        await self._register(WEBHOOKS, WEBHOOKS_AT_ONCE)
        await self._register(FETCHES, FETCHES_AT_ONCE)
        self._store.on_queued = self._waker.wake
        self._waker.watch(self._store.notices, heard=self._lifeline.rouse)
        self._waker.wake(ALL)
        self._lifeline.start(
            executors=partial(busy_executors, self._store.engine),
            recover=self._recover,
            busy=lambda: bool(self._running),
            report=self._report_wait,
        )
        self._watcher = asyncio.create_task(self._watch_cancellations())

    async def stop(self) -> None:
        """Stop taking jobs, and release the unfinished jobs.

        The next process that starts, or another running one, takes them up.
        """
        self._jobs.stopping = True
        if not self.working:
            self._store.close()
            return
        self._waker.stop()
        if self._watcher is not None:
            self._watcher.cancel()
        while self._running:
            self._interrupt(set(self._running))
            await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(4))  # DBOS set the loop's executor, which ends with DBOS
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0, destroy_registry=True)
        await asyncio.to_thread(self._lifeline.stop)
        await asyncio.to_thread(self._store.close)

    def take_lock(self, name: str) -> bool:
        """Take a lock if it is free; return whether it was free.

        The lock is held until `drop_lock`, or until this process ends. The call waits for the database, so it belongs in a thread.
        """
        return self._lifeline.take(name)

    def drop_lock(self, name: str) -> None:
        """Release a lock that `take_lock` took; waits for the database like `take_lock`."""
        self._lifeline.drop(name)

    async def _connect(self, patient: bool) -> Lifeline:
        while True:
            try:
                await asyncio.to_thread(self._store.open)
                await asyncio.to_thread(webhooks.seal_earlier_secrets, self._store, self._settings)
                return await asyncio.to_thread(lambda: Lifeline(make_locks(self._store.engine)))
            except (sa.exc.OperationalError, psycopg.OperationalError) as error:
                if not patient or self._store.engine.dialect.name == "sqlite":
                    raise
                log.warning("the database does not answer; trying again: %s", first_line(error))
                await asyncio.sleep(DATABASE_RETRY_S)

    async def _register(self, name: str, concurrency: int) -> None:
        await DBOS.register_queue_async(
            name, worker_concurrency=concurrency, polling_interval_sec=QUEUE_POLL_S, on_conflict="always_update"
        )

    def _recover(self, executor: str) -> None:
        """Put the jobs of the dead process `executor` back into their queues.

        All processes then poll these queues.
        """
        recover(executor)
        self._store.tell_all()

    def _report_wait(self, executor: str, processes: str) -> None:
        """Report that the jobs of the dead process `executor` wait for its children `processes`."""
        for job_id in jobs_of(self._store.engine, executor):
            report_wait(self._store.ledger, job_id, processes)

    async def _workflow(self, job_id: str) -> None:
        """Run a job, as a DBOS workflow.

        DBOS calls this once, and again after each crash of the process.
        """
        if self._jobs.stopping:
            raise asyncio.CancelledError  # taken from the queue at the last moment: the next process takes it up
        claim = await self._written(partial(self._store.ledger.begin, job_id))
        if claim is None:
            return
        CURRENT_JOB.set(job_id)
        run_log, progress = RunLog(claim, self._jobs.metrics), ProgressLog(self._store.ledger, claim)
        if claim.failures >= MAX_FAILURES:
            crashed = WorkerCrashed(
                f"The server crashed {claim.failures} times while it ran this job, so the job is not started again. "
                "The log of the server may say why."
            )
            await self._fail(claim, crashed, progress, run_log)
            return
        task = asyncio.ensure_future(self._queues[claim.queue].run(claim, progress))
        self._begun(job_id, task)
        try:
            await self._settle(claim, task, progress, run_log)
        finally:
            self._ended(job_id)
            await self._queues[claim.queue].settled(job_id)

    async def _fetch(self, job_id: str) -> None:
        """Fetch the URLs of a job, then queue the job.

        DBOS calls this once, and again after each crash of the process.
        """
        if self._jobs.stopping:
            raise asyncio.CancelledError
        claim = await self._written(partial(self._store.fetches.begin, job_id))
        if claim is None:
            return
        CURRENT_JOB.set(job_id)
        task = asyncio.ensure_future(self._fetcher.fetch_all(claim.owner, claim.fetches))
        self._begun(job_id, task)
        try:
            left_s = None if claim.deadline_at is None else max(0.0, claim.deadline_at - time.time())
            done, _ = await asyncio.wait({task}, timeout=left_s)
            if not done:
                task.cancel()
                await asyncio.wait({task})
        finally:
            self._ended(job_id)
        if done and task.cancelled():
            if self._jobs.stopping:
                raise asyncio.CancelledError  # unfinished for DBOS: the next process takes it up
            await self._fetcher.forget(claim.owner, claim.fetches)  # the job was canceled
            return
        error = task.exception() if done else TimedOut("The inputs were not fetched before the deadline of the job (`deadline_s`).")
        if error is None:
            if not await self._written(partial(self._store.fetched, claim)):
                await self._fetcher.forget(claim.owner, claim.fetches)
            return
        if not isinstance(error, ReelwrightError):
            log.error("the inputs of job %s were not fetched", job_id, exc_info=error)
            error = OperationFailed(f"Unexpected server error: {type(error).__name__}")
        if await self._written(partial(self._store.finish, job_id, Status.FAILED, ending=Ending(error=error.problem()))):
            self._jobs.metrics.ended(claim.operation, Status.FAILED, kind=error.type)
            log.info("job %s (%s) failed: its inputs were not fetched", job_id, claim.operation, extra=fields(event="failed"))
        await self._fetcher.forget(claim.owner, claim.fetches)

    async def _settle(self, claim: Claim, task: "asyncio.Task[Outcome]", progress: ProgressLog, run_log: RunLog) -> None:
        """Wait for a job's task until its deadline; store its success or failure.

        A job that passes its deadline is stopped and fails.
        """
        left_s = None if claim.deadline_at is None else max(0.0, claim.deadline_at - time.time())
        done, _ = await asyncio.wait({task}, timeout=left_s)
        if not done:
            task.cancel()
            await asyncio.wait({task})
            late = TimedOut("The job did not finish before its deadline (`deadline_s`).")
            await self._fail(claim, late, progress, run_log)
            if not task.cancelled() and task.exception() is None:  # it published its outputs before it noticed the cancellation
                await self._queues[claim.queue].discard(claim, task.result())
            return
        if task.cancelled():
            run_log.left("this process exits" if self._jobs.stopping else "the job was canceled")
            if self._jobs.stopping:
                await self._written(partial(self._store.ledger.release, claim))
                raise asyncio.CancelledError  # unfinished for DBOS: the next process takes it up
            return
        error = task.exception()
        if isinstance(error, ReelwrightError):
            await self._fail(claim, error, progress, run_log)
        elif error is not None:
            log.error("job %s failed", claim.id, exc_info=error)
            failed = OperationFailed(f"Unexpected server error: {type(error).__name__}: {error}")
            await self._fail(claim, failed, progress, run_log)
        else:
            try:
                await self._succeed(claim, task.result(), progress, run_log)
            except (sa.exc.SQLAlchemyError, ValueError, OverflowError) as failure:
                log.warning("the database refused the result of job %s: %s", claim.id, type(failure).__name__)
                await self._queues[claim.queue].discard(claim, task.result())
                await self._fail(claim, OperationFailed("The database refused the result of the operation."), progress, run_log)

    async def _succeed(self, claim: Claim, outcome: Outcome, progress: ProgressLog, run_log: RunLog) -> None:
        ending = Ending(
            result=outcome.result,
            outputs=outcome.outputs,
            metrics=outcome.metrics,
            warnings=progress.warnings,
            version=outcome.version,
            result_key=outcome.result_key,
            cached=outcome.cached,
            progress=progress.progress(),
        )
        if await self._written(partial(self._store.finish, claim.id, Status.SUCCEEDED, attempt=claim.attempt, ending=ending)):
            frames = int(progress.latest.total) if progress.latest is not None and outcome.metrics.get("fps") else None
            run_log.ended(Status.SUCCEEDED, frames=frames)
        else:
            await self._queues[claim.queue].discard(claim, outcome)
            run_log.left("the job had already ended")

    async def _fail(self, claim: Claim, error: ReelwrightError, progress: ProgressLog, run_log: RunLog) -> None:
        ending = Ending(error=error.problem(), warnings=progress.warnings)
        if isinstance(error, PartlyFailed):
            done = error.outcome
            ending = replace(ending, result=done.result, outputs=done.outputs, metrics=done.metrics)
        if await self._written(partial(self._store.finish, claim.id, Status.FAILED, attempt=claim.attempt, ending=ending)):
            run_log.ended(Status.FAILED, error=error)
        else:
            run_log.left("the job had already ended")

    async def _written(self, write: Callable[[], Value]) -> Value:
        """Call `write` until the database accepts it; return its result.

        A workflow that ended in an error would leave its job open for ever.
        """
        while True:
            try:
                return await asyncio.to_thread(write)
            except (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.TimeoutError) as error:
                if self._jobs.stopping:
                    raise asyncio.CancelledError from error  # the next process takes the job up
                log.warning("the database did not take the state of a job; trying again: %s", error)
                await asyncio.sleep(DATABASE_RETRY_S)

    async def _watch_cancellations(self) -> None:
        """Stop jobs of this process that other processes have canceled."""
        while True:
            await self._has_jobs.wait()
            try:
                self._interrupt(await asyncio.to_thread(self._store.ledger.ended_among, set(self._running)))
            except sa.exc.SQLAlchemyError as error:
                log.warning("looking for canceled jobs failed: %s", error)
            await asyncio.sleep(CANCEL_POLL_S)

    def _begun(self, job_id: str, task: "asyncio.Task[Any]") -> None:
        self._running[job_id] = task
        if len(self._running) == 1:
            self._lifeline.hurry()
            self._has_jobs.set()

    def _ended(self, job_id: str) -> None:
        del self._running[job_id]
        if not self._running:
            self._has_jobs.clear()

    def _interrupt(self, ids: set[str]) -> None:
        for job_id in ids & self._running.keys():
            if not self._running[job_id].cancelling():  # cancel once: a second cancellation would interrupt the cleanup
                self._running[job_id].cancel()
