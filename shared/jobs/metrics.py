"""Prometheus metrics of the jobs that one process ran.

Waiting time, run time, speed, failures.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from shared.jobs.record import Status

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
FRAMES_PER_SECOND = (0.1, 0.3, 1, 3, 10, 20, 30, 60, 120, 240, 480, 960)


class JobMetrics:
    """Recorder of the metrics of jobs.

    Kinds of failure are the `type`s of shared/errors.py.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        on, labels = self.registry, ["operation"]
        self._wait = Histogram("reelwright_job_wait_seconds", "From acceptance to the first start", labels, registry=on, buckets=SECONDS)
        self._run = Histogram("reelwright_job_run_seconds", "From the last start to the end", labels, registry=on, buckets=SECONDS)
        self._fps = Histogram("reelwright_job_frames_per_second", "Speed of finished jobs", labels, registry=on, buckets=FRAMES_PER_SECOND)
        self._frames = Counter("reelwright_job_frames_total", "Frames that finished jobs have processed", labels, registry=on)
        self._ended = Counter("reelwright_jobs_ended_total", "Jobs that ended", ["operation", "status"], registry=on)
        self._cached = Counter("reelwright_jobs_cached_total", "Jobs that returned an earlier result", labels, registry=on)
        self._failed = Counter("reelwright_job_failures_total", "Jobs that failed, by kind of error", ["operation", "kind"], registry=on)

    def began(self, operation: str, *, waited_s: float, attempt: int) -> None:
        """Record, at a job's first start, how long the job waited in the queue."""
        if attempt == 1:
            self._wait.labels(operation).observe(max(0.0, waited_s))

    def cached(self, operation: str) -> None:
        """Count a job that returned an earlier result."""
        self._cached.labels(operation).inc()

    def ended(
        self, operation: str, status: Status, *, run_s: float | None = None, frames: int | None = None, kind: str | None = None
    ) -> None:
        """Record the end of a job.

        `run_s`: seconds it ran in this process, if it did; `frames`: frames it processed; `kind`: kind of its error, if it failed.
        """
        self._ended.labels(operation, status.value).inc()
        if run_s is not None:
            self._run.labels(operation).observe(run_s)
        if kind is not None:
            self._failed.labels(operation, kind).inc()
        if status is Status.SUCCEEDED and frames and run_s:
            self._frames.labels(operation).inc(frames)
            self._fps.labels(operation).observe(frames / run_s)
