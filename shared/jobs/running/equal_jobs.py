"""Make equal jobs of a process wait for the first one's result."""

import asyncio


class EqualJobs:
    """The jobs of this process that run now, by what their results depend on.

    A job waits only for one that this process runs, which ends in any case. So jobs never wait for each other in a circle, and a restart
    needs nothing: waiting jobs begin anew.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], str] = {}
        self._settled: dict[str, asyncio.Event] = {}

    async def turn(self, job_id: str, owner: str, result_key: str) -> None:
        """Wait until no equal job of the owner runs. This job then counts as running until `settle`.

        Equal jobs have the same `result_key`.
        """
        while (first := self._first.get((owner, result_key))) is not None:
            await self._settled[first].wait()
        self._first[owner, result_key] = job_id
        self._settled[job_id] = asyncio.Event()

    def settle(self, job_id: str) -> None:
        """Let the next equal job run. Does nothing for a job that had no turn."""
        if (event := self._settled.pop(job_id, None)) is not None:
            self._first = {key: first for key, first in self._first.items() if first != job_id}
            event.set()
