"""Logs of jobs; the log of a pipeline joins the logs of its steps."""

from shared.errors import UnknownJob
from shared.jobs import Jobs, StepProgress

MOST_CHARS = 256 * 1024


async def log_of(jobs: Jobs, owner: str, job_id: str) -> str:
    """Return a job's log; for a pipeline, the joined logs of its steps.

    Each step gets an equal share of MOST_CHARS; headings come on top. Raises UnknownJob.
    """
    job = await jobs.get(owner, job_id)
    steps = job.progress.steps if job.progress is not None else None
    if steps is None:
        return (await jobs.logs([job_id])).get(job_id, "")
    existing = {step.job for step in steps if step.job is not None and await _belongs(jobs, owner, step.job)}
    logs = await jobs.logs(existing)
    share = MOST_CHARS // max(1, len(steps))
    return "".join(f"== {step.id} ({step.operation}) ==\n{_text(step, logs, existing, share)}\n" for step in steps)


async def _belongs(jobs: Jobs, owner: str, job_id: str) -> bool:
    try:
        await jobs.get(owner, job_id)
    except UnknownJob:
        return False
    return True


def _text(step: StepProgress, logs: dict[str, str], existing: set[str], max_chars: int) -> str:
    """Return the end of a step's log, or the reason why there is none.

    The end has at most `max_chars` characters. `logs`: job id -> log. `existing`: ids of the steps' jobs that were not deleted.
    """
    if step.job is None:
        return "(not started)\n"
    if step.job not in existing:
        return "(its job was deleted)\n"
    return logs.get(step.job, "(nothing written)\n")[-max_chars:]
