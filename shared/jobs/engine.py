"""Jobs that survive anything: the queue, its durability and its workers.

DBOS Transact keeps the queue and gives every job to exactly one process; the ledger keeps what the API says about it; takeover.py sees to
the jobs of dead processes. Nothing outside this package imports DBOS.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from dbos import DBOS, DBOSClient, WorkflowSerializationFormat
from sqlalchemy.exc import IntegrityError

from shared.errors import Conflict, IdempotencyMismatch, OperationFailed, ReelwrightError, UnknownJob, WorkerCrashed
from shared.jobs import webhooks
from shared.jobs.dbos_setup import APPLICATION, VERSION, configure, first_line, owners, recover
from shared.jobs.ledger import Claim, Event, Ledger
from shared.jobs.metrics import JobMetrics
from shared.jobs.progress_log import Tell
from shared.jobs.record import PRIORITIES, Job, JobRequest, Status
from shared.jobs.run_log import Chronicle
from shared.jobs.tables import connect, make_tables
from shared.jobs.takeover import Lifeline, make_locks
from shared.log import CURRENT_JOB, fields
from shared.media.ids import new_id
from shared.settings import Settings

QUEUE_POLL_S = 0.15  # a job waits half of it on average; six services' queues have to be cheap to look at
PATIENT_POLL_S = 0.5  # pipelines and webhooks, which wait for much longer things anyway
CANCEL_POLL_S = 0.2
EVENTS_POLL_S = 0.25
DATABASE_RETRY_S = 0.5
MAX_FAILURES = 20
"""So often may the server die while it runs a job. Jobs run in processes of their own, so it is hardly ever the job's fault."""

WEBHOOKS, WEBHOOKS_AT_ONCE = "webhooks", 16
log = logging.getLogger(__name__)
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a job came to."""

    result: Any
    outputs: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue that this process works on: `run(claim, tell)` does a job of it, `discard(outcome)` undoes one that came too late."""

    concurrency: int
    poll_s: float = QUEUE_POLL_S
    run: Callable[[Claim, Tell], Awaitable[Outcome]]
    discard: Callable[[Claim, Outcome], Awaitable[None]]


class Jobs:
    """The jobs of one process: any process may submit and ask; those that `start` with queues also work."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self.metrics = JobMetrics()
        self._engine = connect(settings.database, settings.data_dir)
        self.ledger = Ledger(self._engine, job_ttl_s=settings.job_ttl_s)
        self._client = DBOSClient(system_database_engine=self._engine, application_name=APPLICATION, lazy=True)
        self._working = False
        self._running: dict[str, asyncio.Task[Outcome]] = {}
        self._stopping = False
        self._queues: Mapping[str, Queue] = {}
        self._watcher: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Make the tables where they are missing, without working on anything (blocking)."""
        make_tables(self._engine)

    def close(self) -> None:
        """The opposite of `open`."""
        self._client.destroy()
        self._engine.dispose()

    async def start(self, queues: Mapping[str, Queue], *, patient: bool = False) -> None:
        """Open the database and begin to work on `queues` (service name -> Queue). `patient`: wait for a database server that is away."""
        self._queues, self._stopping = queues, False
        self._lifeline = await self._first_contact(patient)
        configure(self._engine, executor=self._lifeline.executor)

        @DBOS.workflow(name="job", max_recovery_attempts=None)
        async def job(job_id: str) -> None:  # DBOS marks the function it registers, which a method does not allow
            await self._workflow(job_id)

        DBOS.workflow(name="webhook", max_recovery_attempts=None)(webhooks.workflow(self.ledger, self._settings))
        DBOS.listen_queues([*queues, WEBHOOKS])
        DBOS.launch()  # on the event loop's own thread: DBOS then runs the workflows on this loop
        self._working = True
        for name, queue in queues.items():
            await self._register(name, queue.concurrency, queue.poll_s)
        await self._register(WEBHOOKS, WEBHOOKS_AT_ONCE, PATIENT_POLL_S)
        self._lifeline.start(owners=owners, recover=recover, busy=lambda: bool(self._running))
        self._watcher = asyncio.create_task(self._watch_cancellations())

    async def _first_contact(self, patient: bool) -> Lifeline:
        while True:
            try:
                await asyncio.to_thread(self.open)
                return await asyncio.to_thread(lambda: Lifeline(make_locks(self._engine)))
            except (sa.exc.OperationalError, psycopg.OperationalError) as error:
                if not patient or self._engine.dialect.name == "sqlite":
                    raise
                log.warning("the database does not answer; it is tried again: %s", first_line(error))
                await asyncio.sleep(DATABASE_RETRY_S)

    def end_soon(self) -> None:
        """Begin to end: no more jobs are begun, and answers that wait for jobs are given as things stand, so that the server can close."""
        self._stopping = True

    async def stop(self) -> None:
        """End the work of this process in order: its jobs are left for the next one that starts, or for another that runs."""
        self._stopping = True
        if not self._working:
            self.close()
            return
        if self._watcher is not None:
            self._watcher.cancel()
        while self._running:
            self._interrupt(set(self._running))
            await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(4))  # the one that DBOS gave the loop ends with DBOS
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0, destroy_registry=True)
        await asyncio.to_thread(self._lifeline.stop)
        await asyncio.to_thread(self.close)

    async def submit(
        self,
        *,
        owner: str,
        service: str,
        operation: str,
        version: int | None = None,
        request: JobRequest,
        asked: JobRequest | None = None,
        key: str | None = None,
    ) -> Job:
        """Put a checked request into the queue. It is on disk when this returns.

        With an idempotency `key` that this owner used before, the job made then. `asked`: the request as it came, where `request` has been
        worked out of it; that is what has to come again with the same key. Raises QueueFull, IdempotencyMismatch.
        """
        row = {
            "id": new_id(),
            "owner": owner,
            "service": service,
            "operation": operation,
            "version": version,
            "priority": PRIORITIES[request.priority],
            "inputs": request.inputs,
            "params": request.params,
            "metadata": request.metadata,
            "webhook": webhooks.stored(request.webhook, self._settings),
            "idempotency_key": key,
            "fingerprint": _fingerprint(operation, asked or request),
        }
        return await asyncio.to_thread(self._submit, row)

    async def earlier(self, *, owner: str, operation: str, request: JobRequest, key: str) -> Job | None:
        """The job that this owner's idempotency `key` made. Raises IdempotencyMismatch."""
        row = {"owner": owner, "idempotency_key": key, "fingerprint": _fingerprint(operation, request)}
        return await asyncio.to_thread(self._earlier, row)

    def _submit(self, row: dict[str, Any]) -> Job:
        if row["idempotency_key"] and (earlier := self._earlier(row)):
            return earlier
        try:
            with self._engine.begin() as connection:
                self.ledger.add(connection, row, queue_limit=self._settings.queue_limit)
                self._enqueue(connection, row["service"], "job", row["id"], row["priority"], row["id"])
            log.info(
                "job %s (%s) accepted",
                row["id"],
                row["operation"],
                extra=fields(job_id=row["id"], operation=row["operation"], event="accepted"),
            )
        except IntegrityError:
            if row["idempotency_key"] and (earlier := self._earlier(row)):
                return earlier
            raise
        return self.ledger.get(row["owner"], row["id"])

    def _earlier(self, row: dict[str, Any]) -> Job | None:
        found = self.ledger.by_key(row["owner"], row["idempotency_key"])
        if found is None:
            return None
        job_id, fingerprint = found
        if fingerprint != row["fingerprint"]:
            detail = f"The Idempotency-Key {row['idempotency_key']!r} came with another request, which made job {job_id}."
            raise IdempotencyMismatch(f"{detail} Use a new key for a new request.")
        return self.ledger.get(row["owner"], job_id)

    async def get(self, owner: str, job_id: str) -> Job:
        """The job as it stands. Raises UnknownJob."""
        return await asyncio.to_thread(self.ledger.get, owner, job_id)

    async def wait(self, owner: str, job_id: str, timeout_s: float) -> Job:
        """The job as soon as it has ended, or as it stands after `timeout_s`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not (job := await self.get(owner, job_id)).status.ended and asyncio.get_running_loop().time() < deadline:
            if self._stopping:
                break
            await asyncio.sleep(min(0.1, max(0.0, deadline - asyncio.get_running_loop().time())))
        return job

    async def cancel(self, owner: str, job_id: str) -> Job:
        """End a job that has not ended; its process is killed. Raises UnknownJob, Conflict where it ended another way."""
        job = await self.get(owner, job_id)
        if await asyncio.to_thread(self._finish, job_id, Status.CANCELED):
            await self._client.cancel_workflow_async(job_id)
            self._interrupt({job_id})
            self.metrics.ended(job.operation, Status.CANCELED)
        job = await self.get(owner, job_id)
        if job.status is not Status.CANCELED:
            raise Conflict(f"Job {job_id} has {job.status} already; there is nothing to cancel.")
        return job

    async def delete(self, owner: str, job_id: str) -> Job:
        """Forget an ended job; the job as it was. Raises UnknownJob, Conflict while it has not ended."""
        job = await self.get(owner, job_id)
        if not job.status.ended:
            raise Conflict(f"Job {job_id} is {job.status}: cancel it first, or wait for its end.")
        await asyncio.to_thread(self.forget, job_id)
        return job

    def forget(self, job_id: str) -> None:
        """Remove a job from the ledger and from DBOS (blocking)."""
        self.ledger.delete(job_id)
        self._client.delete_workflow(job_id)

    async def has_events(self, job_id: str, after: int) -> bool:
        """Whether the job has events after number `after`."""
        return bool(await asyncio.to_thread(self.ledger.events, job_id, after))

    async def events(self, owner: str, job_id: str, after: int) -> AsyncIterator[Event]:
        """The job's events after number `after`, as they come; ends with the job. The last one's data is the job itself."""
        await self.get(owner, job_id)
        with contextlib.suppress(UnknownJob):  # deleted meanwhile
            while True:
                ended = (await self.get(owner, job_id)).status.ended  # looked at first: then the end's event is among those found
                found = await asyncio.to_thread(self.ledger.events, job_id, after)
                for event in found:
                    after = event.seq
                    if event.kind == "progress":
                        yield event
                    else:
                        job = await self.get(owner, job_id)
                        yield Event(seq=event.seq, kind=event.kind, data=job.model_dump(mode="json"))
                        return
                if (ended and not found) or self._stopping:  # in the latter case the client asks again, with Last-Event-ID
                    return
                if not found:
                    await asyncio.sleep(EVENTS_POLL_S)

    @property
    def stopping(self) -> bool:
        """Whether this process is ending in order: what is cut short now goes on later."""
        return self._stopping

    async def troubles(self) -> list[str]:
        """Why this process cannot take work at present; empty where it can."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self.ledger.counts), 5)
        except (TimeoutError, sa.exc.SQLAlchemyError) as error:
            return [f"the database does not answer: {first_line(error)}"]
        if self._stopping:
            return ["the server is shutting down"]
        return [] if self._working else ["the server is starting"]

    async def standing(self) -> tuple[dict[tuple[str, str], int], dict[str, float]]:
        """Jobs by (service, status), and by service when the oldest of those that wait was accepted."""
        return await asyncio.to_thread(lambda: (self.ledger.counts(), self.ledger.oldest_waiting()))

    async def reader_of(self, owner: str, media_id: str) -> str | None:
        """The id of a job that has not ended and reads this media."""
        return await asyncio.to_thread(self.ledger.readers, owner, media_id)

    async def page(self, owner: str, **wanted: Any) -> tuple[list[Job], str | None]:
        """`Ledger.page`."""
        return await asyncio.to_thread(lambda: self.ledger.page(owner, **wanted))

    async def _workflow(self, job_id: str) -> None:
        """What DBOS runs for a job: once, and again after a crash of the process."""
        if self._stopping:
            raise asyncio.CancelledError  # taken from the queue at the last moment: the next process takes it up
        claim = await self._written(partial(self.ledger.begin, job_id))
        if claim is None:
            return
        CURRENT_JOB.set(job_id)
        chronicle, tell = Chronicle(claim, self.metrics), Tell(self.ledger, claim)
        if claim.failures >= MAX_FAILURES:
            crashed = WorkerCrashed(f"The server died {claim.failures} times while it ran this job, so it is not tried again.")
            await self._fail(claim, crashed, tell, chronicle)
            return
        task = asyncio.ensure_future(self._queues[claim.service].run(claim, tell))
        self._running[job_id] = task
        try:
            await self._settle(claim, task, tell, chronicle)
        finally:
            del self._running[job_id]

    async def _settle(self, claim: Claim, task: "asyncio.Task[Outcome]", tell: Tell, chronicle: Chronicle) -> None:
        """Wait for a job and write down what it came to."""
        await asyncio.wait({task})
        if task.cancelled():
            chronicle.left("this process ends" if self._stopping else "it was canceled")
            if self._stopping:
                await self._written(partial(self.ledger.release, claim))
                raise asyncio.CancelledError  # unfinished for DBOS: the next process takes it up
            return
        error = task.exception()
        if isinstance(error, ReelwrightError):
            await self._fail(claim, error, tell, chronicle)
        elif error is not None:
            log.error("job %s failed", claim.id, exc_info=error)
            failed = OperationFailed(f"The server stopped with an error it did not expect: {type(error).__name__}: {error}")
            await self._fail(claim, failed, tell, chronicle)
        else:
            outcome = task.result()
            values = {"result": outcome.result, "outputs": outcome.outputs, "metrics": outcome.metrics, "warnings": tell.warnings}
            progress = {"progress": tell.progress} if tell.progress else {}
            if await self._written(partial(self._finish, claim.id, Status.SUCCEEDED, attempt=claim.attempt, **values, **progress)):
                chronicle.ended(Status.SUCCEEDED, frames=tell.progress.get("total") if outcome.metrics.get("fps") else None)
            else:
                await self._queues[claim.service].discard(claim, outcome)
                chronicle.left("it ended otherwise")

    async def _fail(self, claim: Claim, error: ReelwrightError, tell: Tell, chronicle: Chronicle) -> None:
        values = {"attempt": claim.attempt, "error": error.problem(), "warnings": tell.warnings}
        if await self._written(partial(self._finish, claim.id, Status.FAILED, **values)):
            chronicle.ended(Status.FAILED, error=error)
        else:
            chronicle.left("it ended otherwise")

    async def _written(self, write: Callable[[], Value]) -> Value:
        """What `write` gives, as soon as the database takes it: a workflow that ended in an error would leave its job open for ever."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.TimeoutError) as error:
                if self._stopping:
                    raise asyncio.CancelledError from error  # the next process takes the job up
                log.warning("the database did not take what became of a job; it is tried again: %s", error)
                await asyncio.sleep(DATABASE_RETRY_S)

    def _finish(self, job_id: str, status: Status, **values: Any) -> bool:
        """End a job and queue its webhook, in one transaction."""
        with self._engine.begin() as connection:
            if not self.ledger.end(connection, job_id, status, **values):
                return False
            webhook = self.ledger.webhook(connection, job_id)
            if webhook and status.value in webhook[1]["events"]:
                self._enqueue(connection, WEBHOOKS, "webhook", f"{job_id}-webhook", PRIORITIES["normal"], job_id)
        return True

    def _enqueue(self, connection: sa.Connection, queue: str, workflow: str, workflow_id: str, priority: int, *args: Any) -> None:
        self._client.enqueue_in_transaction(
            connection,
            {
                "queue_name": queue,
                "workflow_name": workflow,
                "workflow_id": workflow_id,
                "priority": priority,
                "app_version": VERSION,
                "serialization_type": WorkflowSerializationFormat.PORTABLE,
            },
            *args,
        )

    async def _register(self, name: str, concurrency: int, poll_s: float) -> None:
        await DBOS.register_queue_async(name, worker_concurrency=concurrency, polling_interval_sec=poll_s, on_conflict="always_update")

    async def _watch_cancellations(self) -> None:
        """Stop the jobs of this process that were canceled through another."""
        while True:
            await asyncio.sleep(CANCEL_POLL_S)
            if self._running:
                try:
                    self._interrupt(await asyncio.to_thread(self.ledger.ended_among, set(self._running)))
                except sa.exc.SQLAlchemyError as error:
                    log.warning("looking for canceled jobs failed: %s", error)

    def _interrupt(self, ids: set[str]) -> None:
        for job_id in ids & self._running.keys():
            if not self._running[job_id].cancelling():  # once: a second time would cut its clearing away short
                self._running[job_id].cancel()


def _fingerprint(operation: str, request: JobRequest) -> str:
    body = request.model_dump(mode="json", exclude={"webhook": {"secret"}})
    return hashlib.sha256(json.dumps([operation, body], sort_keys=True).encode()).hexdigest()
