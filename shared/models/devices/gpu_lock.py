"""Sharing of a GPU between services, one job at a time.

Idle models make room for the job. Locks and requests are files in the data folder, so they work between processes, and between containers
that share the folder.
"""

import fcntl
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.models.devices.device import Device
from shared.operation import Progress, Silent
from shared.settings import current

WAIT_S = 15.0
"""Longest wait in seconds for other processes to drop idle models. They check more often."""
MAX_NOTE_BYTES = 20


@contextmanager
def hold_gpu(device: Device, progress: Progress = Silent(), *, folder: Path | None = None) -> Iterator[None]:
    """Hold the lock of a GPU during the `with` block.

    Waits until the job that holds it is done, and shows the waiting as a stage of `progress`; does nothing for the CPU. The lock ends with
    its process. `folder`: of the locks; default: in the data folder.
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


def request_memory(device: Device, size: int, free: Callable[[Device], int], *, wait_s: float = WAIT_S, folder: Path | None = None) -> bool:
    """Ask other processes to free GPU memory.

    The others check `requested_bytes` every few seconds, and then drop idle models. Waits for this, at most `wait_s` seconds. Returns
    whether `size` bytes are free. `free`: returns a device's free bytes. Call it only while holding the device (`hold_gpu`).
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


def requested_bytes(device: Device, *, folder: Path | None = None) -> int:
    """Return the GPU memory in bytes that another process waits for.

    0 if none waits.
    """
    note = _file(device, "wanted", folder)
    with suppress(OSError, ValueError):
        status = note.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_NOTE_BYTES:
            return 0  # all worker processes may write to the folder, also one that a hostile file has taken over
        if time.time() - status.st_mtime < 2 * WAIT_S:  # a killed process left an older request behind
            return int(note.read_text())
    return 0


def _file(device: Device, suffix: str, folder: Path | None) -> Path:
    name = re.sub(r"[^\w-]", "_", device.uuid or str(device), flags=re.ASCII)
    return (folder or current().data_dir.absolute() / "locks") / f"{name}.{suffix}"
