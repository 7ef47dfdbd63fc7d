"""Return of freed memory to the system."""

import ctypes

_LIBC = ctypes.CDLL(None)


def trim() -> None:
    """Give the memory that this process has freed back to the system.

    glibc keeps it between blocks that are in use. Giving it back keeps an idle process small, and leaves each call as much memory as the
    first. Does nothing with another C library.
    """
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
