"""Progress reports that a child process sends to the server process.

They are throttled, never go back, and carry the rate and the time left.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.operation import Progress
from shared.worker.protocol import JobWarning, ProgressUpdate, Update

INTERVAL_S = 0.25
MAX_WARNINGS, MAX_WARNING_CHARS = 50, 1000


@dataclass
class _ProgressState:
    """Progress state that a Report and its parts share."""

    fraction: float = 0.0
    sent_at: float = float("-inf")
    stage: str | None = None
    stage_began: float = 0.0
    last_update: ProgressUpdate | None = None
    warnings: set[str] = field(default_factory=set)


class Report:
    """A Progress that sends a child process's updates and warnings to the server.

    At most four updates a second; safe to call from several threads.
    """

    def __init__(self, send: Callable[[Update], None], *, stage: str = "", start: float = 0.0, end: float = 1.0):
        self._send, self._stage, self._start, self._end = send, stage, start, end
        self._latest = _ProgressState()
        self._lock = threading.Lock()

    def part(self, stage: str, start: float, end: float) -> Progress:
        """Return a Report for `stage` that fills part of this Report.

        The part goes from `start` to `end` (0 to 1).
        """
        span = self._end - self._start
        part = Report(self._send, stage=stage, start=self._start + start * span, end=self._start + end * span)
        part._latest, part._lock = self._latest, self._lock
        return part

    def warn(self, message: str) -> None:
        """Send a warning at once.

        Each text is sent once, and at most 50 of them.
        """
        with self._lock:
            if message in self._latest.warnings or len(self._latest.warnings) > MAX_WARNINGS:
                return
            self._latest.warnings.add(message)
            too_many = len(self._latest.warnings) > MAX_WARNINGS
            self._send(JobWarning("Further warnings were left out." if too_many else message[:MAX_WARNING_CHARS]))

    def __call__(self, done: float, total: float) -> None:
        """Report `done` of `total` units of this stage."""
        now = time.monotonic()
        with self._lock:
            latest = self._latest
            if latest.stage != self._stage:
                latest.stage, latest.stage_began, latest.sent_at = self._stage, now, float("-inf")
            share = min(done / total, 1.0) if total > 0 else 1.0
            latest.fraction = max(latest.fraction, self._start + share * (self._end - self._start))
            if now - latest.sent_at < INTERVAL_S and latest.fraction < 1:
                return
            latest.sent_at = now
            elapsed = now - latest.stage_began
            rate = done / elapsed if elapsed > 0 else None
            latest.last_update = ProgressUpdate(
                stage=self._stage,
                done=done,
                total=total,
                fraction=round(latest.fraction, 4),
                fps=round(rate, 1) if rate else None,
                eta_s=round((total - done) / rate, 1) if rate and total >= done else None,
            )
            self._send(latest.last_update)

    def finish(self) -> None:
        """Report that the whole job is complete."""
        last = self._latest.last_update or ProgressUpdate(stage=self._stage, done=1.0, total=1.0, fraction=1.0)
        self._send(replace(last, done=last.total, fraction=1.0, eta_s=0.0))
