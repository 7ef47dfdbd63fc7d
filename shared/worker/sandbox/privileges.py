"""Process privileges: no_new_privs, capabilities, and protected memory."""

import ctypes
import sys

PR_SET_DUMPABLE, PR_GET_DUMPABLE = 4, 3
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39
CAPABILITY_VERSION = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def supported() -> bool:
    """Return whether this system has no_new_privs, capabilities and protected memory."""
    return sys.platform == "linux" and _control(PR_GET_NO_NEW_PRIVS, 0) in (0, 1)


def forbid_new_privileges() -> bool:
    """Set no_new_privs for this process and its descendants; return whether that succeeded."""
    return sys.platform == "linux" and _control(PR_SET_NO_NEW_PRIVS, 1) == 0


def drop_capabilities() -> bool:
    """Drop all capabilities of this process; return whether that succeeded."""
    if sys.platform != "linux":
        return False
    no_capabilities = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, of the lower and the upper 32 capabilities
    return bool(ctypes.CDLL(None).capset(ctypes.byref(_Header(CAPABILITY_VERSION, 0)), ctypes.byref(no_capabilities)) == 0)


def close_memory() -> bool:
    """Protect this process's memory and environment from its user's other processes.

    /proc/<pid>/mem and /proc/<pid>/environ cannot be opened then, debuggers and profilers cannot attach except as root, and a crash leaves
    no core file. Programs that this process starts are open again. Returns whether that succeeded.
    """
    return sys.platform == "linux" and _control(PR_SET_DUMPABLE, 0) == 0


def memory_closed() -> bool:
    """Return whether `close_memory` is in effect."""
    return sys.platform == "linux" and _control(PR_GET_DUMPABLE, 0) == 0


def _control(option: int, value: int) -> int:
    result: int = ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    return result
