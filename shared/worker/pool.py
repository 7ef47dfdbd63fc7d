"""A pool of worker processes, each of which runs one call at a time.

Each process is the child of a slot (slot.py). Idle children are ended after a while.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.errors import ReelwrightError, Unavailable
from shared.worker.folders.slot_folders import place
from shared.worker.folders.taken_file import take
from shared.worker.limits import Limits, Usage
from shared.worker.sandbox import Sandbox
from shared.worker.slot import OnUpdate, Slot
from shared.worker_call import Answer, Request, Target

RETRY_S = 10
"""Seconds after which a client that found no free slot may try again."""


class WorkerPool:
    """A pool that runs at most `size` calls at the same time.

    Each call runs in a child process; warm processes are used first.
    """

    def __init__(self, *, size: int, limits: Limits, idle_s: float, sandbox: Callable[[], Sandbox] | None = None):
        """Create a pool without child processes.

        `sandbox`: returns the sandbox of each further slot; None: children have none.
        """
        self._idle_s = idle_s
        self._free = [Slot(limits, sandbox() if sandbox else None) for _ in range(size)]
        self._all = tuple(self._free)
        self._room = asyncio.Semaphore(size)
        self._timers: dict[Slot, asyncio.TimerHandle] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._warm_count = 0
        self._has_room: Callable[[], bool] = lambda: True
        self._used_slots: set[Slot] = set()

    async def call(
        self, target: Target[Request, Answer], request: Request, on_update: OnUpdate | None = None, usage: Usage | None = None
    ) -> Answer:
        """Run a call in the next free slot.

        See `Slot.call`.
        """
        async with self._slot() as slot:
            self._used_slots.add(slot)
            return await slot.call(target, request, on_update, usage)

    async def call_on_files(self, target: Target[Request, Answer], request: Request, *, wait_s: float | None = None) -> Answer:
        """Run a call on the files that its request names.

        See `Slot.call`. Raises Unavailable if no slot is free within `wait_s` seconds.
        """
        async with self.lease(wait_s) as slot:
            if slot.sandbox is None:
                return await slot.call(target, request)
            paths = {name: Path(getattr(request, name)) for name in (*target.reads, *target.writes)}
            in_slot = {name: slot.sandbox.outputs / paths[name].name for name in target.writes}
            for name in target.reads:
                in_slot[name] = await asyncio.to_thread(place, paths[name], slot.sandbox.inputs / name, paths[name].name)
            answer = await slot.call(target, replace(request, **{name: str(path) for name, path in in_slot.items()}))
            for name in target.writes:
                await asyncio.to_thread(take, in_slot[name], paths[name])
            return answer

    @asynccontextmanager
    async def lease(self, wait_s: float | None = None, *, owner: str = "") -> AsyncIterator[Slot]:
        """Reserve a slot for calls on files in the slot's folder.

        The caller puts the files there. `owner`: owner of the files. A child that has opened files of another owner is ended first, since
        a hostile file may have left a thread in it. Raises Unavailable if no slot is free within `wait_s` seconds.
        """
        async with self._slot(wait_s=wait_s, owner=owner) as slot:
            await slot.serve(owner)
            self._used_slots.add(slot)
            slot.output.clear()
            await slot.clean()
            try:
                yield slot
            finally:
                with suppress(OSError, Unavailable):
                    await slot.clean()  # to its end even when canceled: a canceled job must leave nothing either

    async def keep_warm(self, count: int, has_room: Callable[[], bool] | None = None) -> bool:
        """Keep `count` children ready from now on; start one if fewer are ready.

        `has_room`: whether the machine has memory for another child; without room none is started. Returns whether enough are ready.
        """
        self._warm_count, self._has_room = count, has_room or self._has_room
        if not self._warm_enough() and self._has_room():
            async with self._slot(cold=True) as slot:
                self._used_slots.discard(slot)
                await slot.prepare()
        return self._warm_enough()

    def _warm_enough(self) -> bool:
        return sum(slot.warm for slot in self._all) >= self._warm_count

    async def close(self) -> None:
        """End every child.

        Calls in progress fail.
        """
        self._warm_count = 0
        for timer in self._timers.values():
            timer.cancel()
        for ending in self._endings:
            ending.cancel()
        await asyncio.gather(*(slot.kill() for slot in self._all))

    @asynccontextmanager
    async def _slot(self, *, cold: bool = False, wait_s: float | None = None, owner: str = "") -> AsyncIterator[Slot]:
        """Reserve a free slot, preferably with a child process that can serve `owner`.

        `cold`: preferably without a child process. Raises Unavailable if no slot is free within `wait_s` seconds.
        """
        try:
            async with asyncio.timeout(wait_s):
                await self._room.acquire()
        except TimeoutError:
            detail = f"All {len(self._all)} worker processes were busy for {wait_s:g} seconds. Try again later."
            raise Unavailable(detail, headers={"Retry-After": str(RETRY_S)}) from None
        try:
            # The last is taken: the most suitable, and of those the one used last.
            self._free.sort(key=lambda slot: not slot.warm if cold else (slot.warm and slot.serves(owner), not slot.warm))
            slot = self._free.pop()
            if timer := self._timers.pop(slot, None):
                timer.cancel()
            try:
                yield slot
            finally:
                self._free.append(slot)
                if slot.warm:
                    self._timers[slot] = asyncio.get_running_loop().call_later(self._idle_s, self._end, slot)
                elif not self._warm_enough():
                    self._later(self._refill())
        finally:
            self._room.release()

    def _end(self, slot: Slot) -> None:
        """End an idle slot's child process.

        A used child holds more memory than a new one, so it is not kept warm.
        """
        self._timers.pop(slot, None)
        if slot in self._free and (slot in self._used_slots or sum(pool_slot.warm for pool_slot in self._all) > self._warm_count):
            self._later(self._renew(slot))

    async def _renew(self, slot: Slot) -> None:
        await slot.kill()
        if not self._warm_enough():
            await self._refill()

    async def _refill(self) -> None:
        """Start a child process in place of one that has ended."""
        with suppress(ReelwrightError, OSError):
            await self.keep_warm(self._warm_count)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
