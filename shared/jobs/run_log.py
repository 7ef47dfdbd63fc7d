"""What is told about one start of a job: in the log, and in the metrics."""

import logging
import time

from shared.errors import ReelwrightError
from shared.jobs.ledger import Claim
from shared.jobs.metrics import JobMetrics
from shared.jobs.record import Status
from shared.log import fields

log = logging.getLogger(__name__)


class Chronicle:
    """Begins with the start of the job that a claim stands for."""

    def __init__(self, claim: Claim, metrics: JobMetrics):
        self._claim, self._metrics = claim, metrics
        self._began = time.monotonic()
        waited_s = claim.started_at - claim.created_at
        metrics.began(claim.operation, waited_s=waited_s, attempt=claim.attempt)
        self._tell("began", waited_s=round(waited_s, 3))

    def ended(self, status: Status, *, frames: int | None = None, error: ReelwrightError | None = None) -> None:
        """The job is over, and that is written down."""
        run_s, kind = time.monotonic() - self._began, error.type if error else None
        self._metrics.ended(self._claim.operation, status, run_s=run_s, frames=frames, kind=kind)
        more = {"kind": kind, "detail": error.detail} if error else {}
        self._tell(status.value, run_s=round(run_s, 3), **more)

    def left(self, why: str) -> None:
        """This process works on it no longer, and whatever comes of it is told elsewhere."""
        self._tell(f"left: {why}", run_s=round(time.monotonic() - self._began, 3))

    def _tell(self, what: str, **more: object) -> None:
        claim = self._claim
        told = {"operation": claim.operation, "attempt": claim.attempt, "event": what.partition(":")[0], **more}
        log.info("job %s (%s, start %d) %s", claim.id, claim.operation, claim.attempt, what, extra=fields(**told))
