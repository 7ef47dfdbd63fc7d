"""Jobs: stored on disk, run by one process at a time, resumed after crashes.

Names are imported on first use: the models of a job load without the job engine, so that the command line and the client start fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.jobs.client import Jobs
    from shared.jobs.database.history import PastRun
    from shared.jobs.database.rows import Claim, Event, JobState, PipelineOutcome
    from shared.jobs.record import Job, JobEnvelope, JobPage, JobRequest, OperationEnvelope, StageProgress, Status, StepProgress, StepState
    from shared.jobs.running.progress_log import ProgressLog
    from shared.jobs.running.worker import JobWorker, Outcome, PartlyFailed, Queue
    from shared.worker.protocol import JobWarning, ProgressUpdate

__all__ = [
    "Claim",
    "Event",
    "Job",
    "JobEnvelope",
    "JobPage",
    "JobRequest",
    "JobState",
    "JobWarning",
    "JobWorker",
    "Jobs",
    "OperationEnvelope",
    "Outcome",
    "PartlyFailed",
    "PastRun",
    "PipelineOutcome",
    "ProgressLog",
    "ProgressUpdate",
    "Queue",
    "StageProgress",
    "Status",
    "StepProgress",
    "StepState",
]

_RECORD = ("Job", "JobEnvelope", "JobPage", "JobRequest", "OperationEnvelope", "StageProgress", "Status", "StepProgress", "StepState")
_HOMES = {
    "Jobs": "shared.jobs.client",
    "PastRun": "shared.jobs.database.history",
    "ProgressLog": "shared.jobs.running.progress_log",
    **dict.fromkeys(("Claim", "Event", "JobState", "PipelineOutcome"), "shared.jobs.database.rows"),
    **dict.fromkeys(_RECORD, "shared.jobs.record"),
    **dict.fromkeys(("JobWorker", "Outcome", "PartlyFailed", "Queue"), "shared.jobs.running.worker"),
    **dict.fromkeys(("JobWarning", "ProgressUpdate"), "shared.worker.protocol"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
