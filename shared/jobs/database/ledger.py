"""Access to the database tables of jobs, their events and their logs.

Every state change is one transaction, and an ended job never changes.
"""

import time
from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from shared.errors import QueueFull, UnknownJob
from shared.jobs.database.history import EarlierResult
from shared.jobs.database.job_filter import JobFilter
from shared.jobs.database.job_quota import check_quota, lock_quota
from shared.jobs.database.message_pace import MessagePace
from shared.jobs.database.rows import (
    OPEN,
    Claim,
    Ending,
    Event,
    JobState,
    NewJob,
    PipelineOutcome,
    StoredPreview,
    StoredWebhook,
    in_queue,
    is_replaced_preview,
    progress_column,
)
from shared.jobs.database.tables import DELIVERIES, EVENTS, JOBS, LOGS
from shared.jobs.record import PRIORITIES, Job, JobProgress, JobRequest, Status, StepState
from shared.jobs.url_inputs import UrlFetch, with_urls

PREVIEW_TTL_S = 3600.0
"""Seconds after which an ended preview is deleted."""
RANKS = {rank: name for name, rank in PRIORITIES.items()}


class Ledger:
    """Access to the tables of jobs, their events and their logs.

    All calls block; the event loop makes them in threads.
    """

    def __init__(self, engine: sa.Engine, *, job_ttl_s: float):
        self.engine = engine
        self._ttl_s = job_ttl_s
        self.notify: Callable[[Connection, str, str], None] = lambda _connection, _job_id, _event: None
        """Called with a job's id and `started` or `progress`. The call is part of the transaction that writes the change; `JobStore` sets
        it."""
        self._pace = MessagePace()

    def add(self, connection: Connection, job: NewJob, *, queue_limit: int, most_open: int | None = None) -> None:
        """Insert a new job, within the caller's transaction.

        `most_open`: unfinished jobs that the owner may have. Raises QueueFull, QuotaExceeded, and IntegrityError if the job's idempotency
        key exists.
        """
        queue = in_queue(job.service, preview=job.preview is not None)
        waiting = connection.scalar(sa.select(sa.func.count()).where(JOBS.c.status == Status.QUEUED.value, *queue))
        if waiting is not None and waiting >= queue_limit:
            detail = f"The queue of {job.service} is full: {waiting} jobs are waiting, the limit (REELWRIGHT_QUEUE_LIMIT)."
            raise QueueFull(f"{detail} Try again later.", headers={"Retry-After": "10"})
        if most_open is not None:
            lock_quota(connection, job.owner)
        connection.execute(JOBS.insert().values(status=Status.QUEUED.value, created_at=round(time.time(), 3), **job.dump()))
        if most_open is not None:
            check_quota(connection, job, most_open)

    def add_ended(self, connection: Connection, job: NewJob, remembered: EarlierResult) -> None:
        """Insert a job that ends at once with an earlier result.

        This happens within the caller's transaction. Raises IntegrityError if its idempotency key exists.
        """
        now = round(time.time(), 3)
        lives_s = self._ttl_s if job.preview is None else min(self._ttl_s, PREVIEW_TTL_S)
        times = {"created_at": now, "started_at": now, "completed_at": now, "expires_at": now + lives_s}
        outcome = {name: value for name, value in vars(remembered).items() if name != "job_id"}
        metrics = {"queue_s": 0.0, "run_s": 0.0, "attempts": 0}
        ended = {"status": Status.SUCCEEDED.value, "cached": True, "metrics": metrics, **times}
        connection.execute(JOBS.insert().values(**job.dump() | outcome | ended))
        self._append(connection, job.id, Status.SUCCEEDED.value, {})

    def get(self, owner: str, job_id: str) -> Job:
        """Return a job. Raises UnknownJob."""
        with self.engine.connect() as connection:
            return self._read(connection, owner, job_id)

    def request_of(self, owner: str, job_id: str, opened: Callable[[StoredWebhook], StoredWebhook]) -> JobRequest:
        """Return the request of a job.

        The secret of its webhook is included; `opened` decrypts it. Raises UnknownJob.
        """
        names = ("inputs", "params", "metadata", "name", "webhook", "priority", "cache", "listed", "preview", "fetches")
        query = sa.select(*(JOBS.c[name] for name in names)).where(JOBS.c.id == job_id, JOBS.c.owner == owner)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise _unknown(job_id)
        preview = row.preview
        options = {"preview_at_s": preview["at_s"], "preview_s": preview["seconds"], "preview_slot": preview["slot"]} if preview else {}
        plain: dict[str, Any] = {"priority": RANKS[row.priority], "cache": row.cache is not False, "listed": row.listed is not False}
        plain["webhook"] = opened(StoredWebhook.load(row.webhook)).dump() if row.webhook else None
        values = row._asdict()
        missing = {fetch.media_id: fetch for fetch in map(UrlFetch.load, values.pop("fetches") or ()) if not fetch.done}
        values |= {name: with_urls(values[name], missing) for name in ("inputs", "params")}
        return JobRequest.model_validate(values | plain | options | {"preview": preview is not None})

    def by_key(self, owner: str, key: str) -> tuple[str, str] | None:
        """Return the id and fingerprint of the job with an idempotency key.

        None if there is no such job.
        """
        with self.engine.connect() as connection:
            row = connection.execute(
                sa.select(JOBS.c.id, JOBS.c.fingerprint).where(JOBS.c.owner == owner, JOBS.c.idempotency_key == key)
            ).first()
        return (row.id, row.fingerprint) if row else None

    def page(
        self, owner: str, job_filter: JobFilter, *, cursor: str | None = None, limit: int = 50, results: bool = False
    ) -> tuple[list[Job], str | None]:
        """Return one page of jobs, newest first, and the next page's cursor.

        Ids sort by time. The cursor is None on the last page. `limit`: at least 1; ValueError otherwise. `results`: include results, which
        may be long.
        """
        if limit < 1:
            raise ValueError(f"{limit = } must be at least 1")
        columns = [column for column in JOBS.c if results or column is not JOBS.c.result]
        conditions = [*job_filter.conditions(owner), *([JOBS.c.id < cursor] if cursor else [])]
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(*columns).where(*conditions).order_by(JOBS.c.id.desc()).limit(limit + 1)).all()
            jobs = [self._job(connection, row) for row in rows[:limit]]
        return jobs, jobs[-1].id if len(rows) > limit else None

    def begin(self, job_id: str) -> Claim | None:
        """Start an attempt at a job.

        Returns its Claim, None if it ended.
        """
        with self.engine.begin() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id).with_for_update()).first()
            if row is None or Status(row.status).ended:
                return None
            attempt = row.attempt + 1
            started_at = row.started_at or time.time()
            started = {"status": Status.RUNNING.value, "attempt": attempt, "started_at": started_at}
            # SQLite locks at the first write: the job may have ended since it was read.
            still_open = (JOBS.c.id == job_id, JOBS.c.status.in_(OPEN))
            if not connection.execute(JOBS.update().where(*still_open).values(**started)).rowcount:
                return None
            if row.status == Status.QUEUED.value:
                self.notify(connection, job_id, "started")
        copied = {name: row._mapping[name] for name in ("id", "owner", "service", "operation", "inputs", "params", "created_at")}
        failures, fraction = row.attempt - row.interrupted, (row.progress or {}).get("fraction", 0.0)
        copied |= {"cache": bool(row.cache), "listed": row.listed is not False}
        copied["preview"] = StoredPreview(**row.preview) if row.preview else None
        copied["deadline_at"] = row.deadline_at
        return Claim(attempt=attempt, failures=failures, fraction=fraction, started_at=started_at, **copied)

    def release(self, claim: Claim) -> None:
        """Record that a shutdown interrupted this attempt at the job.

        An interrupted attempt does not count as a failed one.
        """
        with self.engine.begin() as connection:
            connection.execute(JOBS.update().where(*_is_current(claim)).values(interrupted=JOBS.c.interrupted + 1))

    def progress(self, claim: Claim, progress: JobProgress, warnings: list[str], outcome: PipelineOutcome | None) -> None:
        """Store the progress of a running job, and append an event.

        `outcome`: of a pipeline so far; None: unchanged.
        """
        stored = progress_column(progress)
        values = {"progress": stored, "warnings": warnings} | (vars(outcome) if outcome is not None else {})
        with self.engine.begin() as connection:
            if connection.execute(JOBS.update().where(*_is_current(claim)).values(**values)).rowcount:
                self._append(connection, claim.id, "progress", stored)
                if self._pace.allows(claim.id, progress.fraction):
                    self.notify(connection, claim.id, "progress")

    def end(self, connection: Connection, job_id: str, status: Status, *, attempt: int | None = None, ending: Ending | None = None) -> bool:
        """End a job within the caller's transaction.

        Returns whether this attempt ended it. False if the job has ended before, or if a later attempt runs.
        """
        now = time.time()
        conditions = [JOBS.c.id == job_id, JOBS.c.status.in_(OPEN), *([JOBS.c.attempt == attempt] if attempt is not None else [])]
        lives_s = sa.case((JOBS.c.preview.is_(None), self._ttl_s), else_=min(self._ttl_s, PREVIEW_TTL_S))
        ended = {"status": status.value, "completed_at": now, "expires_at": now + lives_s}
        values = ending.dump() if ending is not None else {}
        if status is Status.CANCELED:
            values |= self._canceled_steps(connection, job_id)
        if not connection.execute(JOBS.update().where(*conditions).values(**ended, **values)).rowcount:
            # The connection may have broken after this attempt's end was written, before the database confirmed it: then True.
            own_end = sa.select(JOBS.c.id).where(JOBS.c.id == job_id, JOBS.c.attempt == attempt, JOBS.c.status == status.value)
            return attempt is not None and connection.scalar(own_end) is not None
        self._append(connection, job_id, status.value, {})
        return True

    def webhook(self, connection: Connection, job_id: str) -> tuple[str, StoredWebhook] | None:
        """Return the owner and the webhook of a job.

        None without a webhook.
        """
        row = connection.execute(sa.select(JOBS.c.owner, JOBS.c.webhook).where(JOBS.c.id == job_id)).first()
        return (row.owner, StoredWebhook.load(row.webhook)) if row and row.webhook else None

    def events(self, job_id: str, after: int) -> list[Event]:
        """Return a job's events after number `after`, oldest first (at most 500)."""
        query = sa.select(EVENTS).where(EVENTS.c.job_id == job_id, EVENTS.c.seq > after).order_by(EVENTS.c.seq).limit(500)
        with self.engine.connect() as connection:
            return [Event(seq=row.seq, kind=row.kind, data=row.data) for row in connection.execute(query)]

    def write_log(self, job_id: str, text: str) -> None:
        """Replace the log of a job, unless the job was deleted."""
        with self.engine.begin() as connection:
            connection.execute(LOGS.delete().where(LOGS.c.job_id == job_id))
            row = sa.select(JOBS.c.id, sa.literal(text)).where(JOBS.c.id == job_id)
            connection.execute(LOGS.insert().from_select(["job_id", "text"], row))

    def logs(self, ids: Collection[str]) -> dict[str, str]:
        """Return the existing logs of the jobs `ids`, by job id."""
        with self.engine.connect() as connection:
            return {row.job_id: row.text for row in connection.execute(sa.select(LOGS).where(LOGS.c.job_id.in_(ids)))}

    def ended_among(self, ids: set[str]) -> set[str]:
        """Return the ids of ended or deleted jobs among `ids`."""
        with self.engine.connect() as connection:
            open_ids: set[str] = set(connection.scalars(sa.select(JOBS.c.id).where(JOBS.c.id.in_(ids), JOBS.c.status.in_(OPEN))))
        return ids - open_ids

    def states(self, owner: str, ids: Collection[str]) -> dict[str, JobState]:
        """Return the status and progress of the existing jobs among `ids`, by id."""
        query = sa.select(JOBS.c.id, JOBS.c.status, JOBS.c.progress).where(JOBS.c.owner == owner, JOBS.c.id.in_(ids))
        with self.engine.connect() as connection:
            return {row.id: JobState(status=Status(row.status), progress=row.progress) for row in connection.execute(query)}

    def older_previews(self, job: NewJob) -> list[str]:
        """Return the ids of unfinished previews that `job` replaces."""
        older = (JOBS.c.owner == job.owner, JOBS.c.operation == job.operation, JOBS.c.id < job.id)  # ids sort by time
        unfinished = (JOBS.c.status.in_(OPEN), JOBS.c.preview.is_not(None))
        query = sa.select(JOBS.c.id, JOBS.c.operation, JOBS.c.inputs, JOBS.c.preview).where(*older, *unfinished)
        with self.engine.connect() as connection:
            return [row.id for row in connection.execute(query) if is_replaced_preview(row, job)]

    def set_preview_part(self, job_id: str, *, start_s: float, end_s: float) -> None:
        """Store which part of the source a preview shows, from start to end."""
        with self.engine.begin() as connection:
            preview = connection.scalar(sa.select(JOBS.c.preview).where(JOBS.c.id == job_id))
            connection.execute(
                JOBS.update().where(JOBS.c.id == job_id).values(preview={**(preview or {}), "start_s": start_s, "end_s": end_s})
            )

    def set_inputs(self, job_id: str, inputs: dict[str, Any]) -> None:
        """Store the inputs of a job that were made after it was accepted."""
        with self.engine.begin() as connection:
            connection.execute(JOBS.update().where(JOBS.c.id == job_id).values(inputs=inputs))

    def delete(self, job_id: str) -> None:
        """Delete a job with its events, its log and its webhook messages."""
        with self.engine.begin() as connection:
            for table in (EVENTS, LOGS, DELIVERIES):
                connection.execute(table.delete().where(table.c.job_id == job_id))
            connection.execute(JOBS.delete().where(JOBS.c.id == job_id))

    def expired(self, now: float) -> list[str]:
        """Return the ids of jobs that are expired at `now`."""
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(JOBS.c.id).where(JOBS.c.expires_at < now)).all())

    def counts(self) -> dict[tuple[str, str], int]:
        """Count jobs by (service, status)."""
        query = sa.select(JOBS.c.service, JOBS.c.status, sa.func.count()).group_by(JOBS.c.service, JOBS.c.status)
        with self.engine.connect() as connection:
            return {(str(row[0]), str(row[1])): int(row[2]) for row in connection.execute(query)}

    def oldest_waiting(self) -> dict[str, float]:
        """Return the time of acceptance of each service's oldest waiting job."""
        query = (
            sa.select(JOBS.c.service, sa.func.min(JOBS.c.created_at)).where(JOBS.c.status == Status.QUEUED.value).group_by(JOBS.c.service)
        )
        with self.engine.connect() as connection:
            return {str(row[0]): float(row[1]) for row in connection.execute(query)}

    def _canceled_steps(self, connection: Connection, job_id: str) -> dict[str, Any]:
        """End the steps of a canceled pipeline; return its progress and result.

        Its open steps become canceled or skipped. Empty for other jobs.
        """
        row = connection.execute(sa.select(JOBS.c.progress, JOBS.c.result).where(JOBS.c.id == job_id)).first()
        if row is None or not (row.progress or {}).get("steps"):
            return {}

        def ended(holder: dict[str, Any]) -> dict[str, Any]:
            steps = [step | {"state": StepState(step["state"]).at_cancel.value} for step in holder["steps"]]
            return holder | {"steps": steps}

        return {"progress": ended(row.progress)} | ({"result": ended(row.result)} if row.result else {})

    def _append(self, connection: Connection, job_id: str, kind: str, data: Any) -> None:
        last = sa.select(sa.func.coalesce(sa.func.max(EVENTS.c.seq), 0) + 1).where(EVENTS.c.job_id == job_id).scalar_subquery()
        connection.execute(EVENTS.insert().values(job_id=job_id, seq=last, kind=kind, data=data))

    def _read(self, connection: Connection, owner: str, job_id: str) -> Job:
        row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id, JOBS.c.owner == owner)).first()
        if row is None:
            raise _unknown(job_id)
        return self._job(connection, row)

    def _job(self, connection: Connection, row: Row[Any]) -> Job:
        position = None
        if row.status == Status.QUEUED.value:
            before = sa.tuple_(JOBS.c.priority, JOBS.c.id) < sa.tuple_(row.priority, row.id)  # ids sort by time
            queue = in_queue(row.service, preview=row.preview is not None)
            ahead = sa.select(sa.func.count()).where(JOBS.c.status == Status.QUEUED.value, *queue, before)
            position = (connection.scalar(ahead) or 0) + 1
        urls = {fetch["media_id"]: fetch["url"] for fetch in row.fetches or ()}
        computed = {
            "fetches": urls,
            "priority": RANKS[row.priority],
            "queue_position": position,
            "cached": bool(row.cached),
            "listed": row.listed is not False,
        }
        return Job.model_validate(row._asdict() | computed)


def _unknown(job_id: str) -> UnknownJob:
    return UnknownJob(f"There is no job {job_id[:64]!r}: it never existed, was deleted, or has expired.")


def _is_current(claim: Claim) -> list[sa.ColumnElement[bool]]:
    return [JOBS.c.id == claim.id, JOBS.c.attempt == claim.attempt, JOBS.c.status == Status.RUNNING.value]
