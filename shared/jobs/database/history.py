"""Queries of ended jobs: reusable results, run times, and outputs that several jobs share."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from shared.jobs.database.tables import JOBS
from shared.jobs.record import Status

PAST_RUNS = 50
"""Number of latest jobs from which the run time of an operation is estimated."""
EXPIRES_SOON_S = 300.0
"""Results of jobs that expire this soon are not reused. A sweep might delete their outputs in between."""
MAX_EARLIER_RESULTS = 5
"""Maximum number of earlier results to return for one key. The outputs of some may be deleted."""


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """Run time and input size of a past job.

    `input_s`: length of the input video in seconds, None without one. `megapixel_frames`: size of the largest input, None if unknown.
    """

    run_s: float
    input_s: float | None
    megapixel_frames: float | None = None
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EarlierResult:
    """The result of an earlier job.

    A later job may return it as its own. `outputs`: name -> media record.
    """

    job_id: str
    result_key: str
    version: int | None
    result: Any
    outputs: dict[str, Any]
    warnings: list[str]
    progress: dict[str, Any] | None


@dataclass(frozen=True)
class History:
    """Access to the ended jobs of an installation. All methods block on the database."""

    engine: sa.Engine

    def remembered(self, owner: str, result_key: str) -> list[EarlierResult]:
        """Return earlier results that have the given result key.

        Newest first, at most MAX_EARLIER_RESULTS. Jobs that expire within EXPIRES_SOON_S do not count.
        """
        columns = [JOBS.c[name] for name in ("result_key", "version", "result", "outputs", "warnings", "progress")]
        lasting = (JOBS.c.status == Status.SUCCEEDED.value, JOBS.c.expires_at > time.time() + EXPIRES_SOON_S)
        query = sa.select(JOBS.c.id.label("job_id"), *columns).where(JOBS.c.owner == owner, JOBS.c.result_key == result_key, *lasting)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(JOBS.c.id.desc()).limit(MAX_EARLIER_RESULTS))
            return [EarlierResult(**row._asdict()) for row in rows]

    def services(self) -> set[str]:
        """Return the names of the services that have run a job."""
        with self.engine.connect() as connection:
            return set(connection.execute(sa.select(JOBS.c.service).where(JOBS.c.started_at.is_not(None)).distinct()).scalars())

    def shared_outputs(self, owner: str, job_id: str, media_ids: Collection[str]) -> set[str]:
        """Return the `media_ids` that are also outputs of jobs other than `job_id`.

        If `job_id` is a pipeline, its steps do not count.
        """
        query = sa.select(JOBS.c.metadata, JOBS.c.outputs).where(JOBS.c.owner == owner, JOBS.c.id != job_id)
        shared: set[str] = set()
        with self.engine.connect() as connection:
            for media_id in media_ids:
                rows = connection.execute(query.where(sa.cast(JOBS.c.outputs, sa.Text).contains(media_id)))
                if any(row.metadata.get("pipeline") != job_id for row in rows):
                    shared.add(media_id)
        return shared

    def past_runs(self, operation: str) -> list[PastRun]:
        """Return the run times of an operation's latest succeeded jobs, newest first.

        Jobs that returned an earlier result did not run and do not count.
        """
        query = (
            sa.select(JOBS.c.metrics, JOBS.c.params)
            .where(JOBS.c.operation == operation, JOBS.c.status == Status.SUCCEEDED.value, JOBS.c.preview.is_(None))
            .where(JOBS.c.cached.is_not(True))
            .order_by(JOBS.c.id.desc())
            .limit(PAST_RUNS)
        )
        with self.engine.connect() as connection:
            past = list(connection.execute(query))
        return [
            PastRun(
                run_s=row.metrics["run_s"],
                input_s=row.metrics.get("input_s"),
                megapixel_frames=row.metrics.get("megapixel_frames"),
                params=row.params,
            )
            for row in past
            if row.metrics.get("run_s")
        ]
