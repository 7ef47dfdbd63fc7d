"""Deletion of ended jobs, optionally with their outputs."""

import asyncio

from shared.errors import Conflict, UnknownMedia
from shared.runtime import Runtime


async def delete_job(runtime: Runtime, owner: str, job_id: str, *, outputs: bool) -> None:
    """Delete an ended job, optionally with its outputs.

    `outputs`: whether its outputs are deleted too, except those that another job lists. Raises UnknownJob; Conflict if the job has not
    ended or another job reads an output.
    """
    jobs = runtime.jobs
    job = await jobs.get(owner, job_id)
    media_ids = {record.id for record in job.outputs.values()} if outputs else set()
    media_ids -= await jobs.shared_outputs(owner, job_id, media_ids)
    for media_id in media_ids:
        if reader := await jobs.reader_of(owner, media_id):
            raise Conflict(f"Job {reader} reads the output {media_id} of this job: wait until it ends, or cancel it.")
    await jobs.delete(owner, job_id)
    for media_id in media_ids:
        try:
            await asyncio.to_thread(runtime.media.delete, owner, media_id)
        except UnknownMedia:
            continue  # already deleted
