"""Reservation of disk space for the outputs that a running job writes."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from shared.media.disk import on_disk
from shared.media.reservations import Room, written_bytes

INTERVAL_S = 1.0
Value = TypeVar("Value")


async def within_quota(work: Awaitable[Value], *, room: Room, owner: str, folder: Path) -> Value:
    """Await `work`, a call that writes files to `folder`; return its result.

    While it runs, its files count against the owner's quota. It is canceled when they exceed the quota. Raises QuotaExceeded.
    """
    task, reservation = asyncio.ensure_future(work), room.reservation(owner, folder)
    try:
        while not (await asyncio.wait({task}, timeout=INTERVAL_S))[0]:
            size = await on_disk(written_bytes, folder)
            await on_disk(reservation.require, size, at_most=size, is_written=True)
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await on_disk(reservation.end)
