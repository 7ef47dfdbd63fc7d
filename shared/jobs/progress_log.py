"""Write the progress of a running job, at most twice a second and never going back."""

import asyncio
import logging
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from shared.jobs.ledger import Claim, Ledger
from shared.worker.protocol import JobWarning, ProgressUpdate, Update

PROGRESS_INTERVAL_S = 0.5
MAX_WARNINGS = 100
log = logging.getLogger(__name__)


class ProgressLog:
    """The latest progress and the warnings of one job."""

    def __init__(self, ledger: Ledger, claim: Claim):
        self._ledger, self._claim = ledger, claim
        self._written_at = float("-inf")
        self._written_fraction = -1.0
        self.latest: ProgressUpdate | None = None
        self.frames = 0.0
        """The largest total of any stage so far."""
        self.warnings: list[str] = []

    async def __call__(self, update: Update) -> None:
        """Record an update; write it if the last write was long enough ago.

        Each warning is recorded once. After a crash, the fraction never drops below the previous attempt's.
        """
        if isinstance(update, JobWarning):
            if update.text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
                self.warnings.append(update.text)
            return
        fraction = max(self._claim.fraction, self._written_fraction, min(update.fraction, 1.0))
        self.latest = replace(update, fraction=fraction)
        self.frames = max(self.frames, update.total)
        now = asyncio.get_running_loop().time()
        if fraction != self._written_fraction and (now - self._written_at >= PROGRESS_INTERVAL_S or fraction >= 1):
            self._written_at, self._written_fraction = now, fraction
            try:
                await asyncio.to_thread(self._ledger.progress, self._claim, self.latest, self.warnings)
            except SQLAlchemyError as error:  # the job goes on; the next update is written
                log.warning("the progress of job %s was not written: %s", self._claim.id, error)
