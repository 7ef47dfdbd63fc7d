"""Landlock, with which a process denies itself access to files, networks and signals.

The interface is described in Linux's `Documentation/userspace-api/landlock.rst`, and called through the system calls, since the C library
has no functions for it.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls, equal on all processors."""
ASK_VERSION = 1
PATH_BENEATH = 1
TCP_SINCE, SCOPE_SINCE = 4, 6
"""Interface versions that can deny TCP, and signals with abstract sockets."""
O_PATH = getattr(os, "O_PATH", 0)


class Files(IntFlag):
    """A set of Landlock access rights on files, with the kernel's values."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Files.READ_FILE | Files.READ_DIR
USE = READ | Files.EXECUTE
WRITE = (
    READ | Files.WRITE_FILE | Files.REMOVE_DIR | Files.REMOVE_FILE | Files.MAKE_DIR | Files.MAKE_REG | Files.MAKE_SOCK | Files.MAKE_FIFO
) | (Files.MAKE_SYM | Files.REFER | Files.TRUNCATE)
DEVICE = READ | Files.WRITE_FILE | Files.IOCTL_DEV
ON_FILES = Files.EXECUTE | Files.WRITE_FILE | Files.READ_FILE | Files.TRUNCATE | Files.IOCTL_DEV
"""Rights that a rule for a single file may contain."""
RIGHTS_SINCE = {1: (1 << 13) - 1, 2: Files.REFER, 3: Files.TRUNCATE, 5: Files.IOCTL_DEV}
"""Version of the interface -> the rights that it adds."""
TCP_RIGHTS = 0b11  # bind, connect
SCOPES = 0b11  # abstract Unix sockets, signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """Return the kernel's Landlock ABI version; 0 without Landlock."""
    if sys.platform != "linux":
        return 0
    try:
        return _call(CREATE_RULESET, None, 0, ASK_VERSION)
    except OSError:  # not built in, not switched on, or refused by a container's filter
        return 0


def restrict(rules: Iterable[tuple[Path, Files]], *, tcp: bool) -> int:
    """Limit the calling thread, and all that it starts later, to `rules`.

    `rules`: paths with the rights on them and everything below; a path that does not exist gives no
    right. Everything else is denied. `tcp`: whether TCP stays allowed. The process must have no_new_privs. Returns the version of the
    interface; 0 without Landlock: then nothing is limited. Raises OSError if the kernel refuses.
    """
    abi = version()
    if not abi:
        return 0
    supported = Files(sum(rights for since, rights in RIGHTS_SINCE.items() if since <= abi))
    attributes = _Ruleset(supported, TCP_RIGHTS if abi >= TCP_SINCE and not tcp else 0, SCOPES if abi >= SCOPE_SINCE else 0)
    # An older kernel takes the larger structure, because the fields that it does not know are zero.
    ruleset = _call(CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    try:
        for path, rights in rules:
            _add(ruleset, path, rights & supported)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


def _add(ruleset: int, path: Path, rights: Files) -> None:
    try:
        handle = os.open(path, O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(handle).st_mode) else rights & ON_FILES
        if allowed:
            _call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(_PathRule(allowed, handle)), 0)
    finally:
        os.close(handle)


def _call(number: int, *arguments: object) -> int:
    """Make a system call. Raises OSError."""
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno() or errno.EINVAL
        raise OSError(code, os.strerror(code))
    return result
