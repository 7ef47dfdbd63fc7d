"""Return of freed memory to the system."""

import ctypes

_LIBC = ctypes.CDLL(None)


def trim() -> None:
    """Give the memory that this process has freed back to the system.

    glibc keeps it between blocks that are in use. Without that memory an idle process is small, and each call has the room of the first.
    Does nothing with another C library.
    """
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
