"""How a running job reports: seldom enough for the database, and never going back."""

import asyncio
import logging
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from shared.jobs.ledger import Claim, Ledger

PROGRESS_INTERVAL_S = 0.5
MAX_WARNINGS = 100
log = logging.getLogger(__name__)


class Tell:
    """Takes the messages of a job's process. Progress is written at most twice a second, warnings are kept, each text once."""

    def __init__(self, ledger: Ledger, claim: Claim):
        self._ledger, self._claim = ledger, claim
        self._written_at = float("-inf")
        self._fraction = -1.0
        self.progress: dict[str, Any] = {}
        self.frames = 0.0
        """The total of the largest stage so far."""
        self.warnings: list[str] = []

    async def __call__(self, message: dict[str, Any]) -> None:
        """Take a `{"progress": ...}` or `{"warning": ...}` message. A job that begins anew after a crash stays where it was until it is
        further than that."""
        if "warning" in message and message["warning"] not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(str(message["warning"]))
        if "progress" in message:
            reached = max(self._claim.fraction, self._fraction, min(float(message["progress"]["fraction"]), 1.0))
            self.progress = message["progress"] | {"fraction": reached}
            self.frames = max(self.frames, float(message["progress"].get("total") or 0))
        now = asyncio.get_running_loop().time()
        moved = self.progress and self.progress["fraction"] != self._fraction
        if moved and (now - self._written_at >= PROGRESS_INTERVAL_S or self.progress["fraction"] >= 1):
            self._written_at, self._fraction = now, self.progress["fraction"]
            try:
                await asyncio.to_thread(self._ledger.progress, self._claim, self.progress, self.warnings)
            except SQLAlchemyError as error:  # the job goes on; the next report tells where it is
                log.warning("the progress of job %s was not written down: %s", self._claim.id, error)
