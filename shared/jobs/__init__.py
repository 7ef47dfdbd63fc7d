"""Durable jobs: kept on disk, run by one process at a time, and finished after any crash."""

from shared.jobs.client import Jobs
from shared.jobs.ledger import Claim, Event
from shared.jobs.progress_log import ProgressLog
from shared.jobs.record import Job, JobEnvelope, JobPage, JobRequest, Status
from shared.jobs.worker import PATIENT_POLL_S, JobWorker, Outcome, Queue
from shared.worker.protocol import JobWarning, ProgressUpdate

__all__ = [
    "PATIENT_POLL_S",
    "Claim",
    "Event",
    "Job",
    "JobEnvelope",
    "JobPage",
    "JobRequest",
    "JobWarning",
    "JobWorker",
    "Jobs",
    "Outcome",
    "ProgressLog",
    "ProgressUpdate",
    "Queue",
    "Status",
]
