"""A seccomp filter that denies system calls to worker processes.

It denies sockets of every network, where Landlock covers TCP only, and sockets of other programs on this machine, which Landlock leaves
open. It denies access to the memory of other processes, also on kernels without Landlock. The program is classic BPF, see Linux's
`Documentation/userspace-api/seccomp_filter.rst`.
"""

import ctypes
import errno
import platform
import socket
import struct
import sys
from dataclasses import dataclass

PR_SET_SECCOMP, PR_GET_SECCOMP = 22, 21
FILTER = 2
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
LOAD_WORD, EQUAL, AT_LEAST, MASK, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT, SECOND_ARGUMENT_AT = 0, 4, 16, 24
X32 = 0x40000000
"""Bit of the call numbers of x86's 32-bit pointer mode. That mode would bypass the comparison."""
KIND_BITS = 0xF
"""Bits of a socket's type that state its kind. Others are flags."""
NETWORKS = (socket.AF_INET, socket.AF_INET6, 17, 21, 40)  # refused socket families; 17: raw packets, 21: RDS, 40: VM host


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A processor architecture, with its audit number and system call numbers."""

    audit: int
    socket: int
    socketpair: int
    refused: tuple[int, ...]
    """ptrace, process_vm_readv, process_vm_writev, io_uring_setup (which opens sockets without the call above)."""


MACHINES = {
    "x86_64": Machine(audit=0xC000003E, socket=41, socketpair=53, refused=(101, 310, 311, 425)),
    "aarch64": Machine(audit=0xC00000B7, socket=198, socketpair=199, refused=(117, 270, 271, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def supported() -> bool:
    """Return whether the kernel and processor support the filter."""
    return sys.platform == "linux" and platform.machine() in MACHINES and ctypes.CDLL(None).prctl(PR_GET_SECCOMP, 0, 0, 0, 0) in (0, FILTER)


def install(*, local_sockets: bool) -> bool:
    """Install the filter for this thread, and whatever the thread starts.

    It may start threads and processes. The process must have no_new_privs. `local_sockets`: as for `program`. Returns whether the filter is
    active.
    """
    if not supported():
        return False
    code = program(MACHINES[platform.machine()], local_sockets=local_sockets)
    filled = _Program(len(code) // 8, code)
    return bool(ctypes.CDLL(None).prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(filled), 0, 0) == 0)


def program(machine: Machine, *, local_sockets: bool) -> bytes:
    """Return the filter for one architecture as BPF instructions.

    Calls of other architectures, such as those of 32-bit programs, are refused: their numbers differ. `local_sockets`: whether sockets may
    reach other programs on this machine. Pairs of connected streams, as between a program's threads, are always allowed; pairs of
    datagram sockets are not, because they can be connected anew.
    """
    refuse = REFUSE | errno.EPERM
    steps = [
        *_return_unless(MACHINE_AT, machine.audit, refuse),
        (LOAD_WORD, 0, 0, NUMBER_AT),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, refuse),
    ]
    for number in machine.refused:
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, refuse)]
    if not local_sockets:
        kind = [(LOAD_WORD, 0, 0, SECOND_ARGUMENT_AT), (MASK, 0, 0, KIND_BITS)]
        kind += [(EQUAL, 1, 0, int(socket.SOCK_STREAM)), (RETURN, 0, 0, refuse), (RETURN, 0, 0, ALLOW)]
        steps += [(EQUAL, 0, len(kind), machine.socketpair), *kind]
    steps += [(EQUAL, 1, 0, machine.socket), (RETURN, 0, 0, ALLOW), (LOAD_WORD, 0, 0, FIRST_ARGUMENT_AT)]
    for family in NETWORKS if local_sockets else (socket.AF_UNIX, *NETWORKS):
        steps += [(EQUAL, 0, 1, int(family)), (RETURN, 0, 0, refuse)]
    steps.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _return_unless(offset: int, value: int, verdict: int) -> list[tuple[int, int, int, int]]:
    return [(LOAD_WORD, 0, 0, offset), (EQUAL, 1, 0, value), (RETURN, 0, 0, verdict)]
