"""The database tables of jobs and events.

Every state change is one transaction, and an ended job never changes.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from shared.errors import QueueFull, QuotaExceeded, UnknownJob
from shared.jobs.database.history import EarlierResult
from shared.jobs.database.job_filter import JobFilter
from shared.jobs.database.tables import DELIVERIES, EVENTS, JOBS, LOGS
from shared.jobs.record import PRIORITIES, Job, JobRequest, Status, StepState
from shared.jobs.url_inputs import UrlFetch, with_urls
from shared.jobs.view_names import MAKING
from shared.operation import AUTO

PREVIEW_TTL_S = 3600.0
"""Seconds after which an ended preview is deleted."""
REPORT_S, REPORT_FRACTION, FORGET_S = 5.0, 0.01, 24 * 3600.0
"""Least seconds and least progress between two messages about the progress of a job; seconds after which the last one is forgotten."""
OPEN = (Status.QUEUED.value, Status.RUNNING.value)
RANKS = {rank: name for name, rank in PRIORITIES.items()}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a job.

    `seq` counts from 1; `kind` is progress, succeeded, failed or canceled.
    """

    seq: int
    kind: str
    data: Any


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job that this process runs.

    Its outcome counts only while `attempt` is the job's latest attempt.
    """

    id: str
    owner: str
    service: str
    operation: str
    inputs: dict[str, Any]
    params: dict[str, Any]
    attempt: int
    failures: int
    fraction: float
    """Progress of the previous attempt."""
    cache: bool
    """Whether an earlier result may be used."""
    created_at: float
    started_at: float
    deadline_at: float | None = None
    listed: bool = True
    preview: dict[str, Any] | None = None

    @property
    def queue(self) -> str:
        """Name of the job's queue."""
        return queue_of(self.service, preview=self.preview is not None)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """The progress that webhooks reported last: when (a monotonic time), and which."""

    at: float
    fraction: float


@dataclass(frozen=True, kw_only=True)
class FetchClaim:
    """A job that waits for URLs."""

    id: str
    owner: str
    operation: str
    fetches: tuple[UrlFetch, ...]
    deadline_at: float | None


@dataclass(frozen=True, kw_only=True)
class JobState:
    """Status of a job, and its progress as stored."""

    status: Status
    progress: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A checked request as a row of the ledger."""

    id: str
    owner: str
    service: str
    operation: str
    version: int | None
    priority: int
    inputs: dict[str, Any]
    params: dict[str, Any]
    metadata: dict[str, Any]
    webhook: dict[str, Any] | None
    cache: bool
    name: str | None
    deadline_at: float | None
    listed: bool
    preview: dict[str, Any] | None
    fetches: list[dict[str, Any]] | None = None
    """URLs among the inputs, each a UrlFetch as it is stored."""
    idempotency_key: str | None
    fingerprint: str
    """Digest of the operation and of the request as the client sent it. Requests with the same idempotency key must have the same one."""

    @property
    def queue(self) -> str:
        """Name of the job's queue."""
        return queue_of(self.service, preview=self.preview is not None)


class Ledger:
    """Reads and writes of the jobs and events tables.

    All calls block; the event loop makes them in threads.
    """

    def __init__(self, engine: sa.Engine, *, job_ttl_s: float):
        self.engine = engine
        self._ttl_s = job_ttl_s
        self.notify: Callable[[Connection, str, str], None] = lambda _connection, _job_id, _event: None
        """Called with a job's id and `started` or `progress`, in the transaction that writes it; `JobStore` sets it."""
        self._reported: dict[str, Reported] = {}

    def add(self, connection: Connection, job: NewJob, *, queue_limit: int, most_open: int | None = None) -> None:
        """Write a new job in the caller's transaction.

        `most_open`: unfinished jobs that the owner may have. Raises QueueFull, QuotaExceeded, and IntegrityError if the job's idempotency
        key exists.
        """
        queue = _in_queue(job.service, preview=job.preview is not None)
        waiting = connection.scalar(sa.select(sa.func.count()).where(JOBS.c.status == Status.QUEUED.value, *queue))
        if waiting is not None and waiting >= queue_limit:
            detail = f"{waiting} jobs of {job.service} are waiting already, the most that may wait (REELWRIGHT_QUEUE_LIMIT)."
            raise QueueFull(f"{detail} Try again later.", headers={"Retry-After": "10"})
        if most_open is not None:
            count = sa.select(sa.func.count()).where(JOBS.c.owner == job.owner, JOBS.c.status.in_(OPEN))
            if (unfinished := connection.scalar(count) or 0) >= most_open:
                detail = f"{unfinished} jobs of this API key are unfinished, the most that it may have. Try again later."
                raise QuotaExceeded(detail, headers={"Retry-After": "10"})
        connection.execute(JOBS.insert().values(status=Status.QUEUED.value, created_at=round(time.time(), 3), **vars(job)))

    def add_ended(self, connection: Connection, job: NewJob, remembered: EarlierResult) -> None:
        """Write a new job that has an earlier result, in the caller's transaction.

        Raises IntegrityError where its idempotency key exists.
        """
        now = round(time.time(), 3)
        lives_s = self._ttl_s if job.preview is None else min(self._ttl_s, PREVIEW_TTL_S)
        times = {"created_at": now, "started_at": now, "completed_at": now, "expires_at": now + lives_s}
        outcome = {name: value for name, value in vars(remembered).items() if name != "job_id"}
        metrics = {"queue_s": 0.0, "run_s": 0.0, "attempts": 0}
        ended = {"status": Status.SUCCEEDED.value, "cached": True, "metrics": metrics, **times}
        connection.execute(JOBS.insert().values(**vars(job) | outcome | ended))
        self._append(connection, job.id, Status.SUCCEEDED.value, {})

    def get(self, owner: str, job_id: str) -> Job:
        """Return a job. Raises UnknownJob."""
        with self.engine.connect() as connection:
            return self._read(connection, owner, job_id)

    def request_of(self, owner: str, job_id: str, opened: Callable[[dict[str, Any]], dict[str, Any]]) -> JobRequest:
        """Return the request that made a job.

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
        plain["webhook"] = opened(row.webhook) if row.webhook else None
        values = row._asdict()
        missing = {fetch.media_id: fetch for fetch in map(UrlFetch.load, values.pop("fetches") or ()) if not fetch.done}
        values |= {name: with_urls(values[name], missing) for name in ("inputs", "params")}
        return JobRequest.model_validate(values | plain | options | {"preview": preview is not None})

    def by_key(self, owner: str, key: str) -> tuple[str, str] | None:
        """Return id and fingerprint of the job made with an idempotency key.

        None if there is no such job.
        """
        with self.engine.connect() as connection:
            row = connection.execute(
                sa.select(JOBS.c.id, JOBS.c.fingerprint).where(JOBS.c.owner == owner, JOBS.c.idempotency_key == key)
            ).first()
        return (row.id, row.fingerprint) if row else None

    def page(
        self, owner: str, wanted: JobFilter, *, cursor: str | None = None, limit: int = 50, results: bool = False
    ) -> tuple[list[Job], str | None]:
        """Return one page of jobs, newest first, and the next page's cursor.

        Ids sort by time. The cursor is None on the last page. `results`: include results, which may be long.
        """
        columns = [column for column in JOBS.c if results or column is not JOBS.c.result]
        conditions = [*wanted.conditions(owner), *([JOBS.c.id < cursor] if cursor else [])]
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(*columns).where(*conditions).order_by(JOBS.c.id.desc()).limit(limit + 1)).all()
            jobs = [self._job(connection, row) for row in rows[:limit]]
        return jobs, jobs[-1].id if len(rows) > limit else None

    def begin(self, job_id: str) -> Claim | None:
        """Start an attempt at a job; return None if the job has ended."""
        with self.engine.begin() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id).with_for_update()).first()
            if row is None or Status(row.status).ended:
                return None
            attempt = row.attempt + 1
            started_at = row.started_at or time.time()
            started = {"status": Status.RUNNING.value, "attempt": attempt, "started_at": started_at}
            connection.execute(JOBS.update().where(JOBS.c.id == job_id).values(**started))
            if row.status == Status.QUEUED.value:
                self.notify(connection, job_id, "started")
        copied = {name: row._mapping[name] for name in ("id", "owner", "service", "operation", "inputs", "params", "created_at")}
        failures, fraction = row.attempt - row.interrupted, (row.progress or {}).get("fraction", 0.0)
        copied |= {"cache": bool(row.cache), "listed": row.listed is not False, "preview": row.preview}
        copied["deadline_at"] = row.deadline_at
        return Claim(attempt=attempt, failures=failures, fraction=fraction, started_at=started_at, **copied)

    def begin_fetch(self, job_id: str) -> FetchClaim | None:
        """Return what a job waits for; None if the job has ended, or if everything has been fetched."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id, JOBS.c.status == Status.QUEUED.value)).first()
        fetches = tuple(map(UrlFetch.load, row.fetches or ())) if row is not None else ()
        if row is None or all(fetch.done for fetch in fetches):
            return None
        return FetchClaim(id=row.id, owner=row.owner, operation=row.operation, fetches=fetches, deadline_at=row.deadline_at)

    def end_fetch(self, connection: Connection, claim: FetchClaim) -> tuple[str, int] | None:
        """Record in the caller's transaction that everything is fetched; return the job's queue and its priority.

        None if the job has ended.
        """
        fetches = [replace(fetch, done=True).dump() for fetch in claim.fetches]
        waiting = (JOBS.c.id == claim.id, JOBS.c.status == Status.QUEUED.value)
        if not connection.execute(JOBS.update().where(*waiting).values(fetches=fetches)).rowcount:
            return None
        row = connection.execute(sa.select(JOBS.c.service, JOBS.c.preview, JOBS.c.priority).where(JOBS.c.id == claim.id)).one()
        return queue_of(row.service, preview=row.preview is not None), row.priority

    def has_fetches(self, job_id: str) -> bool:
        """Return whether a job had URLs among its inputs."""
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(JOBS.c.id).where(JOBS.c.id == job_id, JOBS.c.fetches.is_not(None))) is not None

    def release(self, claim: Claim) -> None:
        """Record that a shutdown interrupted this attempt.

        An interrupted attempt does not count as a failure.
        """
        with self.engine.begin() as connection:
            connection.execute(JOBS.update().where(*_is_current(claim)).values(interrupted=JOBS.c.interrupted + 1))

    def progress(self, claim: Claim, progress: dict[str, Any], warnings: list[str], outcome: dict[str, Any]) -> None:
        """Write the progress of a running job, and append the event.

        `outcome`: `result` and `outputs` of a pipeline so far, or nothing.
        """
        with self.engine.begin() as connection:
            values = {"progress": progress, "warnings": warnings} | outcome
            if connection.execute(JOBS.update().where(*_is_current(claim)).values(**values)).rowcount:
                self._append(connection, claim.id, "progress", progress)
                if self._is_worth_a_message(claim.id, progress.get("fraction", 0.0)):
                    self.notify(connection, claim.id, "progress")

    def end(self, connection: Connection, job_id: str, status: Status, *, attempt: int | None = None, **values: Any) -> bool:
        """End a job in the caller's transaction; return whether it ended.

        False if the job has ended before, or if a later attempt runs.
        """
        now = time.time()
        conditions = [JOBS.c.id == job_id, JOBS.c.status.in_(OPEN), *([JOBS.c.attempt == attempt] if attempt is not None else [])]
        lives_s = sa.case((JOBS.c.preview.is_(None), self._ttl_s), else_=min(self._ttl_s, PREVIEW_TTL_S))
        ended = {"status": status.value, "completed_at": now, "expires_at": now + lives_s}
        if status is Status.CANCELED:
            values |= self._canceled_steps(connection, job_id)
        if not connection.execute(JOBS.update().where(*conditions).values(**ended, **values)).rowcount:
            # The connection may have broken after this attempt's end was written, before the database confirmed it: then True.
            written = sa.select(JOBS.c.id).where(JOBS.c.id == job_id, JOBS.c.attempt == attempt, JOBS.c.status == status.value)
            return attempt is not None and connection.scalar(written) is not None
        self._append(connection, job_id, status.value, {})
        return True

    def webhook(self, connection: Connection, job_id: str) -> tuple[str, dict[str, Any]] | None:
        """Return the owner and the webhook of a job; None without a webhook."""
        row = connection.execute(sa.select(JOBS.c.owner, JOBS.c.webhook).where(JOBS.c.id == job_id)).first()
        return (row.owner, row.webhook) if row and row.webhook else None

    def events(self, job_id: str, after: int) -> list[Event]:
        """Return the events after number `after`, oldest first (at most 500)."""
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
        """Return the logs of those of `ids` that have one."""
        with self.engine.connect() as connection:
            return {row.job_id: row.text for row in connection.execute(sa.select(LOGS).where(LOGS.c.job_id.in_(ids)))}

    def ended_among(self, ids: set[str]) -> set[str]:
        """Return those of `ids` that have ended or were deleted."""
        with self.engine.connect() as connection:
            open_ids: set[str] = set(connection.scalars(sa.select(JOBS.c.id).where(JOBS.c.id.in_(ids), JOBS.c.status.in_(OPEN))))
        return ids - open_ids

    def states(self, owner: str, ids: Collection[str]) -> dict[str, JobState]:
        """Return status and progress of those of `ids` that exist."""
        query = sa.select(JOBS.c.id, JOBS.c.status, JOBS.c.progress).where(JOBS.c.owner == owner, JOBS.c.id.in_(ids))
        with self.engine.connect() as connection:
            return {row.id: JobState(status=Status(row.status), progress=row.progress) for row in connection.execute(query)}

    def older_previews(self, job: Job, owner: str) -> list[str]:
        """Return the ids of unfinished previews that a newer one, `job`, replaces."""
        older = (JOBS.c.owner == owner, JOBS.c.operation == job.operation, JOBS.c.id < job.id)  # ids sort by time
        unfinished = (JOBS.c.status.in_(OPEN), JOBS.c.preview.is_not(None))
        query = sa.select(JOBS.c.id, JOBS.c.inputs, JOBS.c.preview).where(*older, *unfinished)
        slot = job.preview.slot if job.preview is not None else ""
        with self.engine.connect() as connection:
            return [row.id for row in connection.execute(query) if _given(row.inputs) == _given(job.inputs) and row.preview["slot"] == slot]

    def show_preview(self, job_id: str, *, start_s: float, end_s: float) -> None:
        """Write which part of the source a preview shows."""
        with self.engine.begin() as connection:
            preview = connection.scalar(sa.select(JOBS.c.preview).where(JOBS.c.id == job_id))
            connection.execute(
                JOBS.update().where(JOBS.c.id == job_id).values(preview={**(preview or {}), "start_s": start_s, "end_s": end_s})
            )

    def unlisted_with(self, owner: str, media_id: str) -> dict[str, list[str]]:
        """Return the ended jobs outside of lists that read a media item, with their outputs' ids."""
        ended = JOBS.c.status.not_in(OPEN)
        query = sa.select(JOBS.c.id, JOBS.c.inputs, JOBS.c.outputs).where(JOBS.c.owner == owner, JOBS.c.listed.is_(sa.false()), ended)
        with self.engine.connect() as connection:
            rows = connection.execute(query)
            return {row.id: [output["id"] for output in row.outputs.values()] for row in rows if media_id in media_ids(row.inputs, {})}

    def readers(self, owner: str, media_id: str) -> str | None:
        """Return the id of an unfinished job that reads a media item.

        None if no job reads it.
        """
        query = sa.select(JOBS.c.id, JOBS.c.inputs, JOBS.c.params).where(JOBS.c.owner == owner, JOBS.c.status.in_(OPEN))
        with self.engine.connect() as connection:
            return next((row.id for row in connection.execute(query) if media_id in media_ids(row.inputs, row.params)), None)

    def delete(self, job_id: str) -> None:
        """Delete a job with its events and its log."""
        with self.engine.begin() as connection:
            for table in (EVENTS, LOGS, DELIVERIES):
                connection.execute(table.delete().where(table.c.job_id == job_id))
            connection.execute(JOBS.delete().where(JOBS.c.id == job_id))

    def expired(self, now: float) -> list[str]:
        """Return the ids of expired jobs."""
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(JOBS.c.id).where(JOBS.c.expires_at < now)).all())

    def referenced_media(self) -> set[str]:
        """Return the ids of all media that stored jobs read or wrote."""
        ids: set[str] = set()
        with self.engine.connect() as connection:
            for row in connection.execute(sa.select(JOBS.c.inputs, JOBS.c.params, JOBS.c.outputs)):
                ids |= media_ids(row.inputs, row.params) | {output["id"] for output in row.outputs.values()}
        return ids

    def counts(self) -> dict[tuple[str, str], int]:
        """Count jobs by (service, status)."""
        query = sa.select(JOBS.c.service, JOBS.c.status, sa.func.count()).group_by(JOBS.c.service, JOBS.c.status)
        with self.engine.connect() as connection:
            return {(str(row[0]), str(row[1])): int(row[2]) for row in connection.execute(query)}

    def oldest_waiting(self) -> dict[str, float]:
        """Return when each service's oldest waiting job was accepted."""
        query = (
            sa.select(JOBS.c.service, sa.func.min(JOBS.c.created_at)).where(JOBS.c.status == Status.QUEUED.value).group_by(JOBS.c.service)
        )
        with self.engine.connect() as connection:
            return {str(row[0]): float(row[1]) for row in connection.execute(query)}

    def _canceled_steps(self, connection: Connection, job_id: str) -> dict[str, Any]:
        """Return the values of a canceled pipeline.

        They show its unfinished steps as ended.
        """
        row = connection.execute(sa.select(JOBS.c.progress, JOBS.c.result).where(JOBS.c.id == job_id)).first()
        if row is None or not (row.progress or {}).get("steps"):
            return {}

        def ended(holder: dict[str, Any]) -> dict[str, Any]:
            steps = [step | {"state": StepState(step["state"]).at_cancel.value} for step in holder["steps"]]
            return holder | {"steps": steps}

        return {"progress": ended(row.progress)} | ({"result": ended(row.result)} if row.result else {})

    def _is_worth_a_message(self, job_id: str, fraction: float) -> bool:
        """Return whether webhooks report this progress: 5 seconds and 1 % after the last one.

        Kept in this process, which is the only one that runs the job.
        """
        now = time.monotonic()
        last = self._reported.get(job_id)
        if last is not None and (now - last.at < REPORT_S or fraction - last.fraction < REPORT_FRACTION):
            return False
        self._reported = {each: past for each, past in self._reported.items() if now - past.at < FORGET_S}
        self._reported[job_id] = Reported(at=now, fraction=fraction)
        return True

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
            queue = _in_queue(row.service, preview=row.preview is not None)
            ahead = sa.select(sa.func.count()).where(JOBS.c.status == Status.QUEUED.value, *queue, before)
            position = (connection.scalar(ahead) or 0) + 1
        urls = {fetch["media_id"]: fetch["url"] for fetch in row.fetches or ()}
        shown = {
            "fetches": urls,
            "priority": RANKS[row.priority],
            "queue_position": position,
            "cached": bool(row.cached),
            "listed": row.listed is not False,
        }
        return Job.model_validate(row._asdict() | shown)


def queue_of(service: str, *, preview: bool) -> str:
    """Return the name of a service's queue: of its jobs, or of its previews."""
    return f"{service}-previews" if preview else service


def _given(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs as requested: those that another preview makes were "auto"."""
    return {name: AUTO if isinstance(given, str) and given.startswith(MAKING) else given for name, given in inputs.items()}


def _in_queue(service: str, *, preview: bool) -> list[sa.ColumnElement[bool]]:
    return [JOBS.c.service == service, JOBS.c.preview.is_not(None) if preview else JOBS.c.preview.is_(None)]


def media_ids(inputs: dict[str, Any], params: dict[str, Any]) -> set[str]:
    """Return the ids of the media that a job reads.

    Includes the media that the steps of a pipeline read.
    """
    ids = {item for given in inputs.values() for item in (given if isinstance(given, list) else [given]) if item}
    steps = params.get("steps")
    for step in steps if isinstance(steps, list) else []:
        ids |= media_ids(step.get("inputs", {}), {})
    return ids


def _unknown(job_id: str) -> UnknownJob:
    return UnknownJob(f"There is no job {job_id[:64]!r}: it never existed, was deleted, or has expired.")


def _is_current(claim: Claim) -> list[sa.ColumnElement[bool]]:
    return [JOBS.c.id == claim.id, JOBS.c.attempt == claim.attempt, JOBS.c.status == Status.RUNNING.value]
