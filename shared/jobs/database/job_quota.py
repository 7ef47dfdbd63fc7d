"""The quota of unfinished jobs (`max_jobs`) that an API key may have.

- A view (proxy, strip, waveform) does not count: the gateway makes it, at most once for each medium.
- A pipeline counts as one job, or as its unfinished steps once there are any.
- A job whose input another job makes counts with it as one.
- A preview replaces the older previews of its slot, which then do not count.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from shared.errors import QuotaExceeded
from shared.jobs.database.rows import OPEN, NewJob, is_replaced_preview
from shared.jobs.database.tables import JOBS
from shared.jobs.making import Making
from shared.jobs.view_names import VIEW_KEYS

RETRY_AFTER_S = 10


def lock_quota(connection: Connection, owner: str) -> None:
    """Make other submissions of an owner wait until this transaction ends.

    SQLite has one writer at a time, and needs no lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"quota of {owner}"))))


def check_quota(connection: Connection, job: NewJob, most_open: int) -> None:
    """Raise QuotaExceeded if the inserted `job` is one too many for its owner.

    Call it after the insert, which starts SQLite's transaction: no other job is then inserted between the count and the commit.
    """
    is_view = sa.func.coalesce(JOBS.c.idempotency_key, "").startswith(VIEW_KEYS)
    names = ("id", "operation", "version", "metadata", "inputs", "preview")
    query = sa.select(*(JOBS.c[name] for name in names)).where(JOBS.c.owner == job.owner, JOBS.c.status.in_(OPEN), ~is_view)
    rows = [row for row in connection.execute(query) if row.id == job.id or not is_replaced_preview(row, job)]
    before, after = _count([row for row in rows if row.id != job.id]), _count(rows)
    if after > max(before, most_open):  # the first step of a pipeline replaces the pipeline in the count
        detail = f"This API key has {before} unfinished jobs and may have {most_open}. Wait until a job ends, or cancel one."
        raise QuotaExceeded(detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _count(rows: Sequence[Row[Any]]) -> int:
    """Count the unfinished jobs in `rows`, without pipelines and makers of inputs.

    A pipeline does not count beside its steps, nor a job that makes an input beside the job that waits for it.
    """
    pipelines = {row.id for row in rows if row.version is None} & {str(row.metadata.get("pipeline")) for row in rows}
    makers = {row.id for row in rows} & {making.job for row in rows for source in row.inputs.values() if (making := Making.read(source))}
    return len(rows) - len(pipelines | makers)
