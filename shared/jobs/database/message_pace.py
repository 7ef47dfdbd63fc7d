"""Rate limit of the progress messages that webhooks send."""

import time
from dataclasses import dataclass

REPORT_S, REPORT_FRACTION, FORGET_S = 5.0, 0.01, 24 * 3600.0
"""Minimum seconds and minimum progress (0 to 1) between two messages about a job.

A message is remembered for FORGET_S seconds.
"""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """Time of a job's latest progress message, and the fraction that it reported.

    `at`: on the monotonic clock.
    """

    at: float
    fraction: float


class MessagePace:
    """Rate limit of progress messages, per job.

    Kept in memory: one process runs a job, and only that one reports its progress.
    """

    def __init__(self) -> None:
        self._reported: dict[str, Reported] = {}

    def allows(self, job_id: str, fraction: float) -> bool:
        """Return whether webhooks may report this progress now.

        A reported progress counts as the last one; the next is allowed 5 seconds and 1 % later.
        """
        now = time.monotonic()
        last = self._reported.get(job_id)
        if last is not None and (now - last.at < REPORT_S or fraction - last.fraction < REPORT_FRACTION):
            return False
        self._reported = {reported_job: report for reported_job, report in self._reported.items() if now - report.at < FORGET_S}
        self._reported[job_id] = Reported(at=now, fraction=fraction)
        return True
