"""Jobs: submitted once, kept on disk, run by exactly one process at a time, and finished whatever happens."""

from shared.jobs.engine import Jobs, Outcome, Queue, Tell
from shared.jobs.ledger import Claim, Event
from shared.jobs.record import Job, JobEnvelope, JobPage, JobRequest, Status

__all__ = ["Claim", "Event", "Job", "JobEnvelope", "JobPage", "JobRequest", "Jobs", "Outcome", "Queue", "Status", "Tell"]
