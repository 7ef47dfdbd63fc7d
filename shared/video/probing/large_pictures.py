"""Turns of probe processes: only one at a time holds a large picture."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE_PIXELS = 4096 * 2304
"""Pictures with more pixels are decoded one at a time.

Each takes 100 MB and more."""
LOCK = "large-picture.lock"


@contextmanager
def turn(width: int, height: int, folder: Path | None) -> Iterator[None]:
    """Hold the turn to decode a picture during the `with` block.

    `width` and `height`: of the picture. Waits for the turn if the picture is large. The turn ends with its process, too. `folder`: of the
    lock, which all processes share; None: do not wait.
    """
    if folder is None or width * height <= LARGE_PIXELS:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
