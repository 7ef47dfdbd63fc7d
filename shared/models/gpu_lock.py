"""Services that share a GPU: one job at a time on it, and idle models of others that make room for it.

All of it is files of the data folder, so it holds between processes, and between containers that share the folder.
"""

import fcntl
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.models.device import Device
from shared.operation import Progress, Silent
from shared.settings import current

WAIT_S = 15.0
"""The longest wait for other processes to let go of idle models: they look more often than that."""


@contextmanager
def turn(device: Device, progress: Progress = Silent(), *, folder: Path | None = None) -> Iterator[None]:
    """Hold a GPU for the length of a block; wait until the job that holds it is done. Nothing to wait for on the CPU.

    The lock vanishes with its process. While waiting, the stage of `progress` says so. `folder`: another one than that of the data folder.
    """
    if device.kind == "cpu":
        yield
        return
    lock = _file(device, "lock", folder)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.part(f"waiting for {device}", 0, 0)(0, 1)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ask_for_room(device: Device, size: int, free: Callable[[Device], int], *, wait_s: float = WAIT_S, folder: Path | None = None) -> bool:
    """Have the idle models of other processes go until `size` bytes of a GPU are free; whether they were within `wait_s`.

    Only who holds the device (`turn`) asks. The others look every few seconds whether anybody does: see `room_asked_for`.
    """
    note, deadline = _file(device, "wanted", folder), time.monotonic() + wait_s
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(str(size))
    try:
        while (enough := free(device) >= size) is False and time.monotonic() < deadline:
            time.sleep(0.2)
        return enough
    finally:
        note.unlink(missing_ok=True)


def room_asked_for(device: Device, *, folder: Path | None = None) -> int:
    """Bytes that another process waits for on a GPU, 0 where none does."""
    note = _file(device, "wanted", folder)
    with suppress(OSError, ValueError):
        if time.time() - note.stat().st_mtime < 2 * WAIT_S:  # an older one was left behind by a process that was killed
            return int(note.read_text())
    return 0


def _file(device: Device, suffix: str, folder: Path | None) -> Path:
    name = re.sub(r"[^\w-]", "_", device.uuid or str(device), flags=re.ASCII)
    return (folder or current().data_dir.absolute() / "locks") / f"{name}.{suffix}"
