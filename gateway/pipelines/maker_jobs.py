"""Jobs that make inputs of a request. They are withdrawn if the request is refused."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from gateway.routing.upstream import Upstreams
from shared.errors import Conflict, ReelwrightError, UnknownJob
from shared.jobs import Job, Jobs
from shared.jobs.making import Making

log = logging.getLogger(__name__)


class MakerJobs:
    """Jobs that make inputs of one request."""

    def __init__(self, upstreams: Upstreams, jobs: Jobs, owner: str) -> None:
        self._upstreams, self._jobs, self._owner = upstreams, jobs, owner
        self._unused: set[Making] = set()

    async def start(self, operation: str, output: str, *, headers: Mapping[str, str], body: Any, is_optional: bool = False) -> Making:
        """Start a job of `operation`; return the reference to its `output`.

        If this task is canceled before the answer, the new job is known nevertheless. Raises the refusal of the service.
        """
        service, _, verb = operation.partition(".")
        asking = asyncio.ensure_future(self._upstreams.ask(service, "POST", f"/{verb}/jobs", headers=headers, json=body))
        try:
            answer = await asyncio.shield(asking)
        except asyncio.CancelledError:
            if self._jobs.stopping:
                asking.cancel()
            else:
                with contextlib.suppress(ReelwrightError):
                    self._unused.add(Making((await asking)["id"], output, is_optional))
            raise
        making = Making(answer["id"], output, is_optional)
        self._unused.add(making)
        return making

    def accepted(self, job: Job) -> None:
        """Keep the jobs that make inputs of `job`, the accepted job of the request."""
        self._unused = {making for making in self._unused if str(making) not in job.inputs.values()}

    async def withdraw(self) -> None:
        """Cancel and delete the unfinished jobs that no accepted job waits for.

        Deleted jobs free their idempotency keys, so a repeated request starts new ones. Jobs that have ended stay: their results belong to
        the clip, and are found again.
        """
        for making in self._unused:
            try:
                if await self._jobs.reader_of(self._owner, str(making)) is None:  # the answer may be lost, or a key sent twice
                    await self._jobs.cancel(self._owner, making.job)
                    await self._jobs.delete(self._owner, making.job)
            except (Conflict, UnknownJob):
                continue  # it has ended
            except SQLAlchemyError as error:
                log.warning("job %s, whose output nothing uses, was not withdrawn: %s", making.job, error)


@contextlib.asynccontextmanager
async def maker_jobs(upstreams: Upstreams, jobs: Jobs, owner: str) -> AsyncIterator[MakerJobs]:
    """Yield a starter of jobs that make inputs of one request.

    At the end, jobs that no accepted job waits for are withdrawn. At a shutdown they stay: a repeated request with the same idempotency key
    gets them.
    """
    makers = MakerJobs(upstreams, jobs, owner)
    try:
        yield makers
    finally:
        if not jobs.stopping:
            await makers.withdraw()
