"""Stored rows of jobs, and the names of queues."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import sqlalchemy as sa

from shared.jobs.database.tables import JOBS
from shared.jobs.making import Making
from shared.jobs.record import JobProgress, Status
from shared.jobs.url_inputs import UrlFetch
from shared.operation import AUTO

OPEN = (Status.QUEUED.value, Status.RUNNING.value)
"""Statuses of jobs that have not ended."""


@dataclass(frozen=True, kw_only=True)
class StoredWebhook:
    """The stored form of a webhook.

    `secret`: encrypted; None means the server's default secret.
    """

    url: str
    secret: str | None
    events: tuple[str, ...]

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Self:
        """Convert stored JSON to a webhook."""
        return cls(url=stored["url"], secret=stored["secret"], events=tuple(stored["events"]))

    def dump(self) -> dict[str, Any]:
        """Convert the webhook to JSON for storage."""
        return vars(self) | {"events": list(self.events)}


@dataclass(frozen=True, kw_only=True)
class StoredPreview:
    """Requested and shown time range of a preview, as stored.

    Times of the source in seconds. The shown range is known once the preview runs.
    """

    at_s: float
    seconds: float
    slot: str
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A checked request, ready to be inserted as a job."""

    id: str
    owner: str
    service: str
    operation: str
    version: int | None
    priority: int
    inputs: dict[str, Any]
    params: dict[str, Any]
    metadata: dict[str, Any]
    webhook: StoredWebhook | None
    cache: bool
    name: str | None
    deadline_at: float | None
    listed: bool
    preview: StoredPreview | None
    fetches: tuple[UrlFetch, ...] = ()
    """URLs among the inputs."""
    idempotency_key: str | None
    fingerprint: str
    """Digest of the operation and the request as the client sent it. Requests with equal idempotency keys must have equal digests."""

    @property
    def queue(self) -> str:
        """Name of the job's queue."""
        return queue_of(self.service, preview=self.preview is not None)

    def dump(self) -> dict[str, Any]:
        """Return the columns of a new job's row."""
        return vars(self) | {
            "webhook": self.webhook.dump() if self.webhook else None,
            "preview": asdict(self.preview) if self.preview else None,
            "fetches": [fetch.dump() for fetch in self.fetches] or None,
        }


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job that this process runs now.

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
    """Fraction of the job that the previous attempt had finished."""
    cache: bool
    """Whether an earlier result may be used."""
    created_at: float
    started_at: float
    deadline_at: float | None = None
    listed: bool = True
    preview: StoredPreview | None = None

    @property
    def queue(self) -> str:
        """Name of the job's queue."""
        return queue_of(self.service, preview=self.preview is not None)


@dataclass(frozen=True, kw_only=True)
class PipelineOutcome:
    """Result and outputs of a pipeline so far.

    `outputs`: `step.output` -> media record as JSON.
    """

    result: dict[str, Any]
    outputs: dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The values that are written to a job's row when the job ends.

    None leaves a column unchanged.

    `outputs`: name -> media record as JSON. `metrics`: see `Job`. `error`: problem details. `result_key`: see running/earlier_results.py.
    """

    result: Any = None
    outputs: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    warnings: list[str] | None = None
    version: int | None = None
    result_key: str | None = None
    cached: bool | None = None
    progress: JobProgress | None = None
    error: dict[str, Any] | None = None

    def dump(self) -> dict[str, Any]:
        """Return the columns to write."""
        values = {name: value for name, value in vars(self).items() if value is not None}
        return values | ({"progress": progress_column(self.progress)} if self.progress is not None else {})


@dataclass(frozen=True, kw_only=True)
class JobState:
    """Stored status and progress of a job."""

    status: Status
    progress: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a job.

    `seq` counts from 1; `kind` is progress, succeeded, failed or canceled.
    """

    seq: int
    kind: str
    data: Any


def is_replaced_preview(row: sa.Row[Any], job: NewJob) -> bool:
    """Return whether a newer preview `job` replaces the stored job `row`.

    Both preview the same operation on the same inputs, in the same slot of the client.
    """
    if job.preview is None or row.preview is None:
        return False
    if (row.operation, row.preview["slot"]) != (job.operation, job.preview.slot):
        return False
    return _as_requested(row.inputs) == _as_requested(job.inputs)


def _as_requested(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return `inputs` with "auto" in place of every input that another job makes."""
    return {name: AUTO if Making.read(source) else source for name, source in inputs.items()}


def progress_column(progress: JobProgress) -> dict[str, Any]:
    """Convert progress to its stored form; `steps` only for pipelines."""
    return progress.model_dump(mode="json", exclude={"steps"} if progress.steps is None else None)


def queue_of(service: str, *, preview: bool) -> str:
    """Return the name of a service's job queue or preview queue."""
    return f"{service}-previews" if preview else service


def in_queue(service: str, *, preview: bool) -> list[sa.ColumnElement[bool]]:
    """Return SQL conditions that select the jobs of a service's queue."""
    return [JOBS.c.service == service, JOBS.c.preview.is_not(None) if preview else JOBS.c.preview.is_(None)]
