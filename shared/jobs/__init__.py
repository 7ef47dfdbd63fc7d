"""Jobs: submitted once, kept on disk, run by exactly one process at a time, and finished whatever happens."""

from shared.jobs.engine import PATIENT_POLL_S, Jobs, Outcome, Queue
from shared.jobs.ledger import Claim, Event
from shared.jobs.progress_log import Tell
from shared.jobs.record import Job, JobEnvelope, JobPage, JobRequest, Status

__all__ = ["PATIENT_POLL_S", "Claim", "Event", "Job", "JobEnvelope", "JobPage", "JobRequest", "Jobs", "Outcome", "Queue", "Status", "Tell"]
