"""Mutual exclusion of equal jobs: one runs, and the others wait for its result.

Equal jobs compute the same result: an owner's jobs with the same result key.
"""

import asyncio
import logging
from collections.abc import Callable

POLL_S = 0.25
"""Seconds between checks whether an equal job of another process has ended."""
log = logging.getLogger(__name__)


class EqualJobs:
    """A gate that lets only one of several equal jobs run at a time.

    Locks keep equal jobs of other processes apart. A job waits before it holds anything, for one job with the same key, and a dead process
    loses its locks. So jobs never wait for each other in a circle, and a restart needs nothing: waiting jobs begin anew.
    """

    def __init__(self, take: Callable[[str], bool], drop: Callable[[str], None]) -> None:
        """Store the functions that take and drop the lock with a given name.

        A lock is held from `take`, which returns whether it was free, to `drop` or the end of the process. Both block.
        """
        self._take, self._drop = take, drop
        self._first: dict[tuple[str, str], str] = {}
        self._settled: dict[str, asyncio.Event] = {}
        self._locked: dict[str, str] = {}

    async def turn(self, job_id: str, owner: str, result_key: str) -> None:
        """Wait until no equal job of the owner runs; mark this job as running.

        Equal jobs have the same `result_key`; jobs of other processes count, too. This job then counts as running until `settle`.
        """
        while (first := self._first.get((owner, result_key))) is not None:
            await self._settled[first].wait()
        self._first[owner, result_key] = job_id
        self._settled[job_id] = asyncio.Event()
        lock, is_waiting = f"equal-{owner}-{result_key}", False
        while not await self._try(lock):
            if not is_waiting:
                log.info("job %s waits for an equal job in another process", job_id)
            is_waiting = True
            await asyncio.sleep(POLL_S)
        self._locked[job_id] = lock

    async def settle(self, job_id: str) -> None:
        """Mark a job as ended, so that the next equal job can run.

        Does nothing for a job that had no turn.
        """
        if (event := self._settled.pop(job_id, None)) is None:
            return
        if (lock := self._locked.pop(job_id, None)) is not None:
            await asyncio.to_thread(self._drop, lock)
        self._first = {key: first for key, first in self._first.items() if first != job_id}
        event.set()

    async def _try(self, lock: str) -> bool:
        """Take the lock named `lock` if it is free.

        Returns whether it was free. A lock that was taken as the job was canceled is dropped.
        """
        taking = asyncio.ensure_future(asyncio.to_thread(self._take, lock))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            if await taking:
                await asyncio.to_thread(self._drop, lock)
            raise
