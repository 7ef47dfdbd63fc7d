"""Progress and warnings of a running job, stored in the database.

They are written about twice a second at most, and the progress never goes back.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from shared.errors import for_clients
from shared.jobs.database.ledger import Ledger
from shared.jobs.database.rows import Claim, PipelineOutcome
from shared.jobs.record import JobProgress, StepProgress
from shared.log import without_controls
from shared.worker.progress import MAX_WARNING_CHARS
from shared.worker.protocol import JobWarning, ProgressUpdate, Update

PROGRESS_INTERVAL_S = 0.5
STEP_INTERVAL_S = 0.05
"""Seconds between two events of a pipeline, per step. Events of ten steps are ten times as rare: every event carries all steps."""
MAX_WARNINGS = 100
MAX_STAGE_CHARS = 200
log = logging.getLogger(__name__)


class ProgressLog:
    """The latest progress and the warnings of one job."""

    def __init__(self, ledger: Ledger, claim: Claim):
        self._ledger, self._claim = ledger, claim
        self._written_at = float("-inf")
        self._written_fraction = -1.0
        self._written_steps: tuple[StepProgress, ...] | None = None
        self.latest: ProgressUpdate | None = None
        self.steps: tuple[StepProgress, ...] | None = None
        self.frames = 0.0
        """Largest number of units (usually frames) in a stage so far."""
        self.warnings: list[str] = []

    async def __call__(self, update: Update) -> None:
        """Record an update, and store the progress at most twice a second.

        Each warning is recorded once. After a crash, the fraction never drops below the previous attempt's.
        """
        if isinstance(update, JobWarning):
            if (
                len(self.warnings) < MAX_WARNINGS
                and (text := for_clients(without_controls(update.text[:MAX_WARNING_CHARS]))) not in self.warnings
            ):
                self.warnings.append(text)
            return
        latest = self._kept(update)
        now = asyncio.get_running_loop().time()
        if latest.fraction >= 1 or now - self._written_at >= PROGRESS_INTERVAL_S:
            await self._write(latest, now)

    async def show_steps(self, update: ProgressUpdate, steps: Sequence[StepProgress], *, outcome: PipelineOutcome | None) -> None:
        """Record the progress of a pipeline and of its steps.

        `outcome`: result and outputs so far, if a step has changed its state; they are written at once.
        """
        latest = self._kept(update)
        self.steps = tuple(steps)
        now = asyncio.get_running_loop().time()
        if outcome is not None or now - self._written_at >= max(PROGRESS_INTERVAL_S, STEP_INTERVAL_S * len(steps)):
            await self._write(latest, now, outcome=outcome)

    def progress(self) -> JobProgress | None:
        """Return the latest progress; None before the first."""
        return None if self.latest is None else self._shown(self.latest)

    def _shown(self, update: ProgressUpdate) -> JobProgress:
        return JobProgress(**vars(update), steps=None if self.steps is None else list(self.steps))

    def _kept(self, update: ProgressUpdate) -> ProgressUpdate:
        """Keep an update as the latest; its fraction never goes back."""
        fraction = max(self._claim.fraction, self._written_fraction, min(update.fraction, 1.0))
        self.latest = replace(update, fraction=fraction, stage=without_controls(update.stage[:MAX_STAGE_CHARS]))
        self.frames = max(self.frames, update.total)
        return self.latest

    async def _write(self, latest: ProgressUpdate, now: float, *, outcome: PipelineOutcome | None = None) -> None:
        """Store the latest progress if it has changed, or if there is an `outcome`.

        `now`: seconds on the event loop's clock.
        """
        if latest.fraction == self._written_fraction and self.steps == self._written_steps and outcome is None:
            return
        self._written_at, self._written_fraction, self._written_steps = now, latest.fraction, self.steps
        try:
            await asyncio.to_thread(self._ledger.progress, self._claim, self._shown(latest), self.warnings, outcome)
        except SQLAlchemyError as error:  # the job goes on; the next update is written
            log.warning("the progress of job %s was not written: %s", self._claim.id, error)
