"""Number of frames computed in parallel."""

import os

_MAX_WORKERS = 6


def worker_count() -> int:
    """Return the number of worker threads.

    There is one per core, but at most six, because each holds the memory of a frame.
    """
    return min(os.cpu_count() or 1, _MAX_WORKERS)
