"""The Progress that a child hands to an operation: throttled, never going back, with rate and time left worked out."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.operation import Progress

INTERVAL_S = 0.25
MAX_WARNINGS, MAX_WARNING_CHARS = 50, 1000


@dataclass
class _Latest:
    fraction: float = 0.0
    sent_at: float = float("-inf")
    stage: str | None = None
    stage_began: float = 0.0
    sent: dict[str, Any] = field(default_factory=dict)
    warnings: set[str] = field(default_factory=set)


class Report:
    """Sends `{"progress": {...}}` and `{"warning": ...}` messages, at most four a second; safe to call from several threads."""

    def __init__(self, send: Callable[[dict[str, Any]], None], *, stage: str = "", start: float = 0.0, end: float = 1.0):
        self._send, self._stage, self._start, self._end = send, stage, start, end
        self._latest = _Latest()
        self._lock = threading.Lock()

    def part(self, stage: str, start: float, end: float) -> Progress:
        """A Report for the share `start` to `end` of this one."""
        span = self._end - self._start
        part = Report(self._send, stage=stage, start=self._start + start * span, end=self._start + end * span)
        part._latest, part._lock = self._latest, self._lock
        return part

    def warn(self, message: str) -> None:
        """Send a warning at once, each text once. A file that gives reason for ever more of them is not worth more than 50."""
        with self._lock:
            if message in self._latest.warnings or len(self._latest.warnings) > MAX_WARNINGS:
                return
            self._latest.warnings.add(message)
            more = len(self._latest.warnings) > MAX_WARNINGS
            self._send({"warning": "There were more warnings, which are left out." if more else message[:MAX_WARNING_CHARS]})

    def __call__(self, done: float, total: float) -> None:
        """Report `done` of `total` of this stage."""
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
            latest.sent = {
                "stage": self._stage,
                "done": done,
                "total": total,
                "fraction": round(latest.fraction, 4),
                "fps": round(rate, 1) if rate else None,
                "eta_s": round((total - done) / rate, 1) if rate and total >= done else None,
            }
            self._send({"progress": latest.sent})

    def finish(self) -> None:
        """The work is done: the last stage is complete, whatever it said before."""
        last = self._latest.sent or {"stage": self._stage, "done": 1.0, "total": 1.0, "fps": None}
        self._send({"progress": last | {"done": last["total"], "fraction": 1.0, "eta_s": 0.0}})
