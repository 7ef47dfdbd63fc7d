"""Inputs of a job that other jobs make: the job waits for them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from shared.errors import OperationFailed, ReelwrightError
from shared.jobs.database.ledger import Ledger
from shared.jobs.database.rows import Claim
from shared.jobs.making import Making
from shared.jobs.record import Job, Status
from shared.worker.protocol import JobWarning, ProgressUpdate, Update

POLL_S = 0.2
Report = Callable[[Update], Awaitable[None]]


@dataclass(frozen=True)
class MadeInputs:
    """Supplier of the media that other jobs make for a job."""

    ledger: Ledger

    async def complete(self, claim: Claim, progress: Report) -> Claim:
        """Wait for inputs that other jobs make; return the complete job.

        An optional input that cannot be made is left out with a warning. Raises OperationFailed for a required one.
        """
        inputs = dict(claim.inputs)
        for name, source in claim.inputs.items():
            if making := Making.read(source):
                try:
                    inputs[name] = await self._output(claim.owner, making, progress)
                except ReelwrightError as error:
                    if not making.is_optional:
                        raise
                    await progress(JobWarning(f"No {name} could be made, so this job ran without one. {error.detail}"))
                    inputs[name] = None
        if inputs == claim.inputs:
            return claim
        if claim.preview is None:  # previews are compared by what was requested
            await asyncio.to_thread(self.ledger.set_inputs, claim.id, inputs)
        return replace(claim, inputs=inputs)

    async def _output(self, owner: str, making: Making, progress: Report) -> str:
        """Return the media id of the output that `making` refers to.

        Waits for the end of the job that makes the output. Raises OperationFailed if it made no such output, or could not be started.
        """
        if not making.job:
            raise OperationFailed(making.reason)
        output = making.output
        await progress(ProgressUpdate(stage=f"waiting for the {output}", done=0, total=1, fraction=0))
        outputs = (await succeeded(self.ledger, owner, making.job, f"the {output} of another job")).outputs
        if output not in outputs:
            raise OperationFailed(f"The job needs the output {output} of job {making.job}, which has {', '.join(outputs) or 'no outputs'}.")
        return outputs[output].id


async def succeeded(ledger: Ledger, owner: str, job_id: str, needs: str) -> Job:
    """Wait for the end of a job, which must succeed; return the job.

    `needs`: name of the needed output, for the error. Raises OperationFailed if the job did not succeed.
    """
    while job_id not in await asyncio.to_thread(ledger.ended_among, {job_id}):  # reads one column; the whole job is read once
        await asyncio.sleep(POLL_S)
    job = await asyncio.to_thread(ledger.get, owner, job_id)
    if job.status is not Status.SUCCEEDED:
        detail = (job.error or {}).get("detail") or f"its job {job.id} was canceled"
        raise OperationFailed(f"{job.operation} did not make {needs}: {detail}")
    return job
