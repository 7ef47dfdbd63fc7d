"""Errors of the client, each with problem details (RFC 9457)."""

from typing import Any

from shared.errors import ReelwrightError, field_errors, may_pass
from shared.jobs.record import Job


class Refused(ReelwrightError):
    """The server refused the request"""

    def __init__(self, problem: dict[str, Any], status: int, *, retry_after: str | None = None):
        super().__init__(str(problem.get("detail", problem)), errors=field_errors(problem))
        self.status = status  # type: ignore[misc]
        self.retry_after = retry_after
        self._problem = problem

    @property
    def passes(self) -> bool:
        """Whether a later attempt may succeed."""
        return may_pass(self._problem, self.status, self.retry_after)

    def problem(self) -> dict[str, Any]:
        """Return the problem details as the server sent them."""
        return self._problem


class Unreachable(ReelwrightError):
    """The server does not answer"""

    type, status = "unreachable", 503


class JobFailed(ReelwrightError):
    """The job failed"""

    type, status = "job-failed", 500

    def __init__(self, job: Job):
        self.job = job
        super().__init__(str((job.error or {}).get("detail", f"Job {job.id} is {job.status}.")), errors=field_errors(job.error or {}))

    def problem(self) -> dict[str, Any]:
        """Return the problem details of the job."""
        return self.job.error or super().problem()


class JobCanceled(JobFailed):
    """The job was canceled"""

    type = "job-canceled"
