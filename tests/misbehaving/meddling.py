"""Attempts of a process to change other processes, files and the kernel's state."""

import ctypes
import errno
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from shared.worker.sandbox.call_table import ALLOWED_IF, REFUSED, UNKNOWN
from shared.worker.sandbox.system_calls import MACHINES

CLONE_NEWUSER = 0x10000000


def outcomes_of_meddling(server: int, file: str, readable: int) -> dict[str, str]:
    """Try to change the process `server` and two files; return the outcome of each attempt.

    `file`: a path that this process cannot open. `readable`: a descriptor that is open for reading.
    """
    attempts: dict[str, Callable[[], object]] = {
        "limit": lambda: resource.prlimit(server, resource.RLIMIT_NOFILE, (64, 64)),
        "look at limits": lambda: resource.prlimit(server, resource.RLIMIT_NOFILE),
        "affinity": lambda: os.sched_setaffinity(server, {0}),
        "scheduler": lambda: os.sched_setscheduler(server, os.SCHED_BATCH, os.sched_param(0)),
        "niceness": lambda: os.setpriority(os.PRIO_PROCESS, server, 19),
        "niceness of the user": lambda: os.setpriority(os.PRIO_USER, 0, 19),
        "mode": lambda: os.chmod(file, 0),
        "mode of an open file": lambda: os.fchmod(readable, 0o600),
        "owner": lambda: os.chown(file, os.getuid(), os.getgid()),
        "owner of a link": lambda: os.lchown(file, os.getuid(), os.getgid()),
        "times": lambda: os.utime(file, (1, 1)),
        "times of an open file": lambda: os.utime(readable, (1, 1)),
        "attribute": lambda: os.setxattr(file, "user.note", b"x"),
        "attribute of an open file": lambda: os.setxattr(readable, "user.note", b"x"),
        "memory file": lambda: os.close(os.memfd_create("memory")),
        "kernel socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "cipher socket": lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET),
        **{name: lambda arguments=arguments: call(*arguments) for name, arguments in calls().items()},  # type: ignore[misc]
        "own limit": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        "own affinity": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
        "own niceness": lambda: os.nice(1),
        "thread": lambda: run_in_thread(),
        "program": lambda: subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True),
    }
    return {name: outcome_of(attempt) for name, attempt in attempts.items()}


def calls() -> dict[str, tuple[int, ...]]:
    """Return refused system calls for which Python has no function, with their arguments."""
    table = REFUSED | {"clone": ALLOWED_IF["clone"][0], "ioprio_set": ALLOWED_IF["ioprio_set"][0]} | UNKNOWN
    column = MACHINES[platform.machine()].column
    arguments = {
        "unshare": (CLONE_NEWUSER,),
        "clone": (CLONE_NEWUSER | signal.SIGCHLD, 0),
        "clone3": (0, 0),
        "ioprio_set": (3, os.getuid(), 0),
        "keyctl": (0, -4, 0),
        "userfaultfd": (1,),
        "shmget": (0, 4096, 0o600),
        "msgget": (0, 0o600),
        "semget": (0, 1, 0o600),
    }
    return {name: (number, *values) for name, values in arguments.items() if (number := table[name][column]) is not None}


def call(number: int, *arguments: int) -> None:
    """Make a system call. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def run_in_thread() -> None:
    thread = threading.Thread(target=os.getpid)
    thread.start()
    thread.join()


def outcome_of(attempt: Callable[[], object]) -> str:
    """Return "done", or the name of the error that `attempt` raises."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or errno.EIO]
    return "done"
