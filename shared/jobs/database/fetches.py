"""Database access to jobs that wait until the URLs among their inputs are fetched."""

from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from shared.jobs.database.rows import queue_of
from shared.jobs.database.tables import JOBS
from shared.jobs.record import Status
from shared.jobs.url_inputs import UrlFetch


@dataclass(frozen=True, kw_only=True)
class FetchClaim:
    """A waiting job whose URLs this process fetches."""

    id: str
    owner: str
    operation: str
    fetches: tuple[UrlFetch, ...]
    deadline_at: float | None


class Fetches:
    """Database access to the URLs that jobs wait for. All calls block."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine

    def begin(self, job_id: str) -> FetchClaim | None:
        """Claim a job's fetches.

        None if it has ended or fetched all URLs.
        """
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id, JOBS.c.status == Status.QUEUED.value)).first()
        fetches = tuple(map(UrlFetch.load, row.fetches or ())) if row is not None else ()
        if row is None or all(fetch.done for fetch in fetches):
            return None
        return FetchClaim(id=row.id, owner=row.owner, operation=row.operation, fetches=fetches, deadline_at=row.deadline_at)

    def end(self, connection: Connection, claim: FetchClaim) -> tuple[str, int] | None:
        """Mark all URLs of a job as fetched.

        Returns the job's queue and priority; None if the job has ended. Within the caller's transaction.
        """
        fetches = [replace(fetch, done=True).dump() for fetch in claim.fetches]
        waiting = (JOBS.c.id == claim.id, JOBS.c.status == Status.QUEUED.value)
        if not connection.execute(JOBS.update().where(*waiting).values(fetches=fetches)).rowcount:
            return None
        row = connection.execute(sa.select(JOBS.c.service, JOBS.c.preview, JOBS.c.priority).where(JOBS.c.id == claim.id)).one()
        return queue_of(row.service, preview=row.preview is not None), row.priority

    def has_any(self, job_id: str) -> bool:
        """Return whether a job has URLs among its inputs."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(JOBS.c.id).where(JOBS.c.id == job_id, JOBS.c.fetches.is_not(None))) is not None
