"""The log and the metrics of one run of a job."""

import logging
import time

from shared.errors import ReelwrightError
from shared.jobs.database.rows import Claim
from shared.jobs.metrics import JobMetrics
from shared.jobs.record import Status
from shared.log import fields

log = logging.getLogger(__name__)


class RunLog:
    """A logger of one run of a job: start, end and metrics."""

    def __init__(self, claim: Claim, metrics: JobMetrics):
        self._claim, self._metrics = claim, metrics
        self._began = time.monotonic()
        waited_s = claim.started_at - claim.created_at
        metrics.began(claim.operation, waited_s=waited_s, attempt=claim.attempt)
        self._log("began", waited_s=round(waited_s, 3))

    def ended(self, status: Status, *, frames: int | None = None, error: ReelwrightError | None = None) -> None:
        """Log the end of the job, after the database has it."""
        run_s, kind = time.monotonic() - self._began, error.type if error else None
        self._metrics.ended(self._claim.operation, status, run_s=run_s, frames=frames, kind=kind)
        more = {"kind": kind, "detail": error.detail} if error else {}
        self._log(status.value, run_s=round(run_s, 3), **more)

    def left(self, why: str) -> None:
        """Log that this process stopped working on the job without ending it."""
        self._log(f"left: {why}", run_s=round(time.monotonic() - self._began, 3))

    def _log(self, event: str, **more: object) -> None:
        claim = self._claim
        values = {"operation": claim.operation, "attempt": claim.attempt, "event": event.partition(":")[0], **more}
        log.info("job %s (%s, start %d) %s", claim.id, claim.operation, claim.attempt, event, extra=fields(**values))
