"""Disk access from async code, durable writes, and reads of replaced files.

Other machines may replace a file while it is read.
"""

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
STALE_TRIES = 20
"""Number of attempts before an NFS error is raised. The server may no longer export the folder."""


async def on_disk(call: Callable[..., Result], *args: Any, **options: Any) -> Result:
    """Run a blocking call in a thread.

    Raises Unavailable if the disk is full. A cancelled call still waits for the thread before it ends, so that cleaning up does not race
    with a running write. Works with cancellation by anyio and by asyncio.
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
        running.exception()  # read the error here, or asyncio would report it as never retrieved
        raise asyncio.CancelledError
    try:
        return running.result()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("The server's disk is full: delete media that are not needed, or try again later.") from error
        raise


def retried_if_stale(call: Callable[[], Result]) -> Result:
    """Call `call` again if another machine has replaced the opened file on NFS.

    Returns the result of `call`. Raises its OSError if that happens STALE_TRIES times.
    """
    for _ in range(STALE_TRIES - 1):
        try:
            return call()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
    return call()


def read_text(path: Path) -> str:
    """Read a text file in UTF-8 that another machine may replace or delete meanwhile.

    Raises FileNotFoundError if it is missing.
    """
    return retried_if_stale(lambda: path.read_text(encoding="utf-8"))


def write_all(file: BinaryIO, block: bytes) -> None:
    """Write the whole of `block` to an unbuffered file.

    The file's own `write` may write only a part.
    """
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def write_atomically(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Replace a file's text atomically and durably.

    A crash leaves the old or the new content. Creates the folder. `mode`: permissions of the file, less the process's mask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = partial_path(path)  # a process id would not be unique: containers that share a folder have equal ones
    try:
        with open(new, "w", encoding="utf-8", opener=partial(os.open, mode=mode)) as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk.

    Files renamed into it then survive a loss of power.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
