"""Number of frames computed in parallel."""

from shared.settings import usable_cores

_MAX_WORKERS = 6


def worker_count() -> int:
    """Return the number of worker threads.

    There is one per core, but at most six, because each holds the memory of a frame.
    """
    return min(usable_cores(), _MAX_WORKERS)
