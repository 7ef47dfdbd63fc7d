"""A seccomp filter that denies system calls to worker processes.

It denies sockets of every network, where Landlock covers TCP only, and sockets of other programs on this machine, which Landlock leaves
open. It denies access to other processes: to their memory, also on kernels without Landlock, and to their limits and priorities. It
denies changes of the mode, owner and times of files. The calls are listed in `call_table.py`. The program is classic BPF, see Linux's
`Documentation/userspace-api/seccomp_filter.rst`.
"""

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from shared.worker.sandbox.call_table import (
    ALLOWED_IF,
    CONNECTED_STREAMS,
    IGNORED_UNLESS,
    LOCAL,
    REFUSED,
    SOCKET,
    SOCKETPAIR,
    UNKNOWN,
    UNKNOWN_WITHOUT_SHARED_MEMORY,
    Condition,
    Numbers,
)

PR_SET_SECCOMP, PR_GET_SECCOMP = 22, 21
FILTER = 2
ALLOW, FAIL = 0x7FFF0000, 0x00050000
REFUSE, UNKNOWN_CALL, IGNORE = FAIL | errno.EPERM, FAIL | errno.ENOSYS, FAIL
LOAD_WORD, EQUAL, AT_LEAST, MASK, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
NUMBER_AT, MACHINE_AT, ARGUMENTS_AT, ARGUMENT_BYTES = 0, 4, 16, 8
X32 = 0x40000000
"""Bit of the call numbers of x86's 32-bit pointer mode. That mode would bypass the comparison."""
Step = tuple[int, int, int, int]


@dataclass(frozen=True)
class Machine:
    """A processor architecture: its audit number, and its column in the table of calls."""

    audit: int
    column: int

    def numbers(self, calls: Iterable[Numbers]) -> list[int]:
        """Return the numbers of `calls` that this processor has."""
        return [number for numbers in calls if (number := numbers[self.column]) is not None]


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def supported() -> bool:
    """Return whether the kernel and processor support the filter."""
    return sys.platform == "linux" and platform.machine() in MACHINES and ctypes.CDLL(None).prctl(PR_GET_SECCOMP, 0, 0, 0, 0) in (0, FILTER)


def install(*, shared_memory: bool, network: bool) -> bool:
    """Install the filter for this thread and all threads and processes that it starts.

    The process must have no_new_privs. `shared_memory`, `network`: as for `program`. Returns whether the filter is active.
    """
    if not supported():
        return False
    code = program(MACHINES[platform.machine()], shared_memory=shared_memory, network=network)
    filled = _Program(len(code) // 8, code)
    return bool(ctypes.CDLL(None).prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(filled), 0, 0) == 0)


def program(machine: Machine, *, shared_memory: bool, network: bool) -> bytes:
    """Return the filter for one architecture as BPF instructions.

    Calls of other architectures, such as those of 32-bit programs, are refused: their numbers differ. `shared_memory`: whether the process
    may use shared memory, and sockets of other programs on this machine. Pairs of connected streams, as between a program's threads, are
    always allowed. `network`: whether it may use sockets of every kind.
    """
    unknown = [*UNKNOWN.values(), *(() if shared_memory else UNKNOWN_WITHOUT_SHARED_MEMORY.values())]
    conditions = [(REFUSE, *row) for row in ALLOWED_IF.values()] + [(IGNORE, *row) for row in IGNORED_UNLESS.values()]
    if not network:
        conditions += [
            (REFUSE, SOCKETPAIR, LOCAL if shared_memory else CONNECTED_STREAMS),
            *([(REFUSE, SOCKET, LOCAL)] if shared_memory else []),
        ]
    steps: list[Step] = [
        *_unless(MACHINE_AT, Condition(0, machine.audit), REFUSE),
        (LOAD_WORD, 0, 0, NUMBER_AT),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, REFUSE),
    ]
    for number in machine.numbers(unknown):
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, UNKNOWN_CALL)]
    for number in machine.numbers([*REFUSED.values(), *(() if shared_memory or network else (SOCKET,))]):
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]
    for otherwise, numbers, needed in conditions:
        for number in machine.numbers([numbers]):
            checks = [step for condition in needed for step in _unless(argument_at(condition.argument), condition, otherwise)]
            steps += [(EQUAL, 0, len(checks) + 1, number), *checks, (RETURN, 0, 0, ALLOW)]
    steps.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def argument_at(index: int) -> int:
    """Return the offset of the lower half of an argument.

    The calls in the table use no more of it.
    """
    return ARGUMENTS_AT + ARGUMENT_BYTES * index


def _unless(offset: int, condition: Condition, verdict: int) -> list[Step]:
    return [(LOAD_WORD, 0, 0, offset), (MASK, 0, 0, condition.mask), (EQUAL, 1, 0, condition.value), (RETURN, 0, 0, verdict)]
