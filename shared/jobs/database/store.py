"""Storage of jobs.

A job and its entry in DBOS's queues change in one transaction. DBOS is the library that gives each queued job to one process.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, WorkflowSerializationFormat
from sqlalchemy.exc import IntegrityError

from shared.errors import IdempotencyMismatch
from shared.jobs.database.dbos_setup import APPLICATION, VERSION
from shared.jobs.database.deliveries import Deliveries
from shared.jobs.database.fetches import FetchClaim, Fetches
from shared.jobs.database.history import EarlierResult, History
from shared.jobs.database.ledger import Ledger
from shared.jobs.database.media_use import MediaUse
from shared.jobs.database.queue_notices import ALL, make_notices
from shared.jobs.database.rows import Ending, NewJob
from shared.jobs.database.tables import connect, make_tables
from shared.jobs.record import PRIORITIES, Job, Status
from shared.settings import Settings

WEBHOOKS = "webhooks"
"""The queue of webhooks."""
FETCHES = "fetches"
"""The queue of jobs that wait for URLs."""
QUEUED = "reelwright_queued"
"""Key in a connection's `info` for the queues that its transaction adds work to."""


class JobStore:
    """Storage of an installation's jobs, which keeps the jobs table and DBOS's queues consistent.

    All calls block; the event loop makes them in threads.
    """

    def __init__(self, settings: Settings):
        self.engine = connect(settings.database, settings.data_dir)
        self.ledger = Ledger(self.engine, job_ttl_s=settings.job_ttl_s)
        self.ledger.notify = self._notify
        self.fetches = Fetches(self.engine)
        self.media_use = MediaUse(self.engine)
        self.deliveries = Deliveries(self.engine)
        self.history = History(self.engine)
        self.notices = make_notices(self.engine)
        self.on_queued: Callable[[str], None] = lambda _queue: None
        """Called with the name of a queue that has new work. A worker in the same process sets it."""
        sa.event.listen(self.engine, "checkin", self._tell)
        self._queue_limit = settings.queue_limit
        self._dbos = DBOSClient(system_database_engine=self.engine, application_name=APPLICATION, lazy=True)

    def open(self) -> None:
        """Create missing tables."""
        make_tables(self.engine)

    def close(self) -> None:
        """Close all database connections."""
        self._dbos.destroy()
        self.engine.dispose()

    def add(self, job: NewJob, remembered: EarlierResult | None = None, *, most_open: int | None = None) -> tuple[Job, bool]:
        """Insert and queue a job.

        Returns the job and whether it is new. With `remembered` the job is written as ended, with that result. If a job with the same
        idempotency key exists, that job is returned instead. `most_open`: unfinished jobs that the owner may have. Raises QueueFull,
        QuotaExceeded, IdempotencyMismatch.
        """
        if job.idempotency_key and (earlier := self.earlier(job.owner, job.idempotency_key, job.fingerprint)):
            return earlier, False
        try:
            with self.engine.begin() as connection:
                if remembered is not None:
                    self.ledger.add_ended(connection, job, remembered)
                    self._notify(connection, job.id, Status.SUCCEEDED.value)
                else:
                    self.ledger.add(connection, job, queue_limit=self._queue_limit, most_open=most_open)
                    self._start(connection, job)
        except IntegrityError:  # two requests with the same key arrived at the same moment
            if job.idempotency_key and (earlier := self.earlier(job.owner, job.idempotency_key, job.fingerprint)):
                return earlier, False
            raise
        return self.ledger.get(job.owner, job.id), True

    def earlier(self, owner: str, key: str, fingerprint: str) -> Job | None:
        """Return the job with an idempotency key; None if there is none.

        Raises IdempotencyMismatch if that job's request had another fingerprint.
        """
        row = self.ledger.by_key(owner, key)
        if row is None:
            return None
        job_id, stored_fingerprint = row
        if stored_fingerprint != fingerprint:
            detail = f"The Idempotency-Key {key!r} was already used for a different request, which started job {job_id}."
            raise IdempotencyMismatch(f"{detail} Send a different key.")
        return self.ledger.get(owner, job_id)

    def finish(self, job_id: str, status: Status, *, attempt: int | None = None, ending: Ending | None = None) -> bool:
        """End a job and queue its webhook messages.

        Returns whether this attempt ended it. See `Ledger.end`.
        """
        with self.engine.begin() as connection:
            if not self.ledger.end(connection, job_id, status, attempt=attempt, ending=ending):
                return False
            self._notify(connection, job_id, status.value)
        return True

    def fetched(self, claim: FetchClaim) -> bool:
        """Queue a job whose URLs have been fetched.

        Returns False if it has ended.
        """
        with self.engine.begin() as connection:
            place = self.fetches.end(connection, claim)
            if place is None:
                return False
            queue, priority = place
            self._enqueue(connection, queue=queue, workflow="job", workflow_id=claim.id, priority=priority, job_id=claim.id)
        return True

    async def cancel_workflow(self, job_id: str, *, fetches: bool) -> None:
        """Cancel the DBOS workflows of a job.

        `fetches`: whether it has URLs among its inputs.
        """
        for workflow_id in workflow_ids(job_id, fetches=fetches):
            await self._dbos.cancel_workflow_async(workflow_id)

    def forget(self, job_id: str) -> None:
        """Delete a job from the ledger and from DBOS."""
        delivery_ids = self.deliveries.ids_of_job(job_id)
        workflows = workflow_ids(job_id, fetches=self.fetches.has_any(job_id))
        self.ledger.delete(job_id)
        for workflow_id in (*workflows, *delivery_ids):
            self._dbos.delete_workflow(workflow_id)

    def tell_all(self) -> None:
        """Notify all processes that every queue may have new work."""
        with self.engine.begin() as connection:
            self._note(connection, ALL)

    def _note(self, connection: sa.Connection, queue: str) -> None:
        """Notify processes that `queue` has work, once `connection` commits."""
        self.notices.send_with(connection, queue)
        connection.info.setdefault(QUEUED, set()).add(queue)

    def _tell(self, _dbapi_connection: Any, record: Any) -> None:
        """Tell all processes which queues got work in a connection's last transaction.

        SQLAlchemy calls this when a connection is free again, and so after its commit.
        """
        for queue in record.info.pop(QUEUED, ()):
            self.on_queued(queue)
            self.notices.committed(queue)

    def _start(self, connection: sa.Connection, job: NewJob) -> None:
        """Queue a new job, or the fetch of its URLs if there are any."""
        place = {"queue": FETCHES, "workflow": "fetch", "workflow_id": fetch_id(job.id)}
        if not job.fetches:
            place = {"queue": job.queue, "workflow": "job", "workflow_id": job.id}
        self._enqueue(connection, **place, priority=job.priority, job_id=job.id)

    def resend(self, job_id: str, delivery_id: str) -> str:
        """Send a webhook message again; return the id of the new delivery.

        See `Deliveries.add_again`.
        """
        with self.engine.begin() as connection:
            new = self.deliveries.add_again(connection, job_id, delivery_id)
            self._send(connection, new)
        return new

    def _notify(self, connection: sa.Connection, job_id: str, event: str) -> None:
        """Queue webhook messages about an event of a job."""
        for delivery_id in self.deliveries.add(connection, job_id, event):
            self._send(connection, delivery_id)

    def _send(self, connection: sa.Connection, delivery_id: str) -> None:
        place = {"queue": WEBHOOKS, "workflow": "webhook", "workflow_id": delivery_id}
        self._enqueue(connection, **place, priority=PRIORITIES["normal"], job_id=delivery_id)

    def _enqueue(self, connection: sa.Connection, *, queue: str, workflow: str, workflow_id: str, priority: int, job_id: str) -> None:
        """Add a workflow to a queue, within the caller's transaction.

        `job_id`: the argument of the workflow; for a webhook the id of the delivery.
        """
        self._dbos.enqueue_in_transaction(
            connection,
            {
                "queue_name": queue,
                "workflow_name": workflow,
                "workflow_id": workflow_id,
                "priority": priority,
                "app_version": VERSION,
                "serialization_type": WorkflowSerializationFormat.PORTABLE,
            },
            job_id,
        )
        self._note(connection, queue)


def workflow_ids(job_id: str, *, fetches: bool) -> tuple[str, ...]:
    """Return the ids of all workflows of a job.

    `fetches`: whether it has URLs among its inputs.
    """
    return (job_id, fetch_id(job_id)) if fetches else (job_id,)


def fetch_id(job_id: str) -> str:
    """Return the id of the workflow that fetches a job's URLs."""
    return f"{job_id}-fetch"
