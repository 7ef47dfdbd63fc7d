"""Durable jobs.

They are kept on disk, run by one process at a time, and finished after any crash.
"""

from shared.jobs.client import Jobs
from shared.jobs.database.history import PastRun
from shared.jobs.database.ledger import Claim, Event
from shared.jobs.record import Job, JobEnvelope, JobPage, JobRequest, OperationEnvelope, StageProgress, Status, StepProgress, StepState
from shared.jobs.running.progress_log import ProgressLog
from shared.jobs.running.worker import PATIENT_POLL_S, JobWorker, Outcome, PartlyFailed, Queue
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
    "OperationEnvelope",
    "Outcome",
    "PartlyFailed",
    "PastRun",
    "ProgressLog",
    "ProgressUpdate",
    "Queue",
    "StageProgress",
    "Status",
    "StepProgress",
    "StepState",
]
