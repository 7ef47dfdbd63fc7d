"""Work on the disk: done from async code, and so that it stays done."""

import asyncio
import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import anyio

from shared.errors import Unavailable
from shared.media.partial_name import partial_path

Result = TypeVar("Result")


async def on_disk(call: Callable[..., Result], *args: Any, **options: Any) -> Result:
    """Run `call(*args, **options)` in a thread. Raises Unavailable where the disk is full.

    When this is cancelled, it still stays until the thread is done, and only then ends as cancelled: whoever cleans up afterwards
    does not race with a write that is under way. Both anyio's and asyncio's way of cancelling are met.
    """
    cancelled = False
    with anyio.CancelScope(shield=True):
        running = asyncio.ensure_future(anyio.to_thread.run_sync(partial(call, *args, **options)))
        while not running.done():
            try:
                await asyncio.wait([running])
            except asyncio.CancelledError:
                cancelled = True
    if cancelled:
        running.exception()  # looked at, so that nobody reports it as forgotten
        raise asyncio.CancelledError
    try:
        return running.result()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("The server's disk is full: delete media that are not needed, or try again later.") from error
        raise


def write_all(file: BinaryIO, block: bytes) -> None:
    """Write all of `block` to an unbuffered file, which may take less at a time."""
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def write_atomically(path: Path, text: str) -> None:
    """Write a file that is there as a whole or as it was before, also after a loss of power; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = partial_path(path)  # containers that share a folder have the same process numbers
    try:
        with new.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return when what was renamed into a folder is there also after a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
