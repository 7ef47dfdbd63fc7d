"""One job at a time on a GPU that several services share."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.models.device import Device
from shared.operation import Progress, Silent
from shared.settings import Settings


@contextmanager
def turn(device: Device, progress: Progress = Silent(), *, folder: Path | None = None) -> Iterator[None]:
    """Hold a GPU for the length of a block; wait until the job that holds it is done. Nothing to wait for on the CPU.

    The lock is a file of the data folder (`folder`: another one), so it holds between processes, and between containers that share the
    folder; it vanishes with its process. While waiting, the stage of `progress` says so.
    """
    if device.kind == "cpu":
        yield
        return
    folder = folder or Settings().data_dir.absolute() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w-]", "_", device.uuid or str(device), flags=re.ASCII)
    with (folder / f"{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.part(f"waiting for {device}", 0, 0)(0, 1)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
