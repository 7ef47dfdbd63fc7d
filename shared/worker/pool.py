"""A fixed number of slots, each used by one call at a time.

Idle children are ended after a while.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shared.worker.slot import Limits, OnUpdate, Slot, Usage


class WorkerPool:
    """A pool that runs at most `size` calls at once.

    Each call runs in a child process; warm processes are used first.
    """

    def __init__(self, *, size: int, limits: Limits, idle_s: float):
        self._idle_s = idle_s
        self._free = [Slot(limits) for _ in range(size)]
        self._all = tuple(self._free)
        self._room = asyncio.Semaphore(size)
        self._timers: dict[Slot, asyncio.TimerHandle] = {}
        self._endings: set[asyncio.Task[None]] = set()

    async def call(
        self, target: str, args: dict[str, Any], on_update: OnUpdate | None = None, usage: Usage | None = None
    ) -> dict[str, Any]:
        """Run a call in the next free slot.

        See `Slot.call`.
        """
        async with self._slot() as slot:
            return await slot.call(target, args, on_update, usage)

    async def close(self) -> None:
        """End every child.

        Calls in progress fail.
        """
        for timer in self._timers.values():
            timer.cancel()
        await asyncio.gather(*(slot.kill() for slot in self._all))

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[Slot]:
        async with self._room:
            self._free.sort(key=lambda slot: slot.warm)
            slot = self._free.pop()
            if timer := self._timers.pop(slot, None):
                timer.cancel()
            try:
                yield slot
            finally:
                self._free.append(slot)
                if slot.warm:
                    self._timers[slot] = asyncio.get_running_loop().call_later(self._idle_s, self._end, slot)

    def _end(self, slot: Slot) -> None:
        self._timers.pop(slot, None)
        if slot in self._free:
            ending = asyncio.ensure_future(slot.kill())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
