"""Marks by which the processes of a worker are found and ended.

A guard ends all descendants of its child. A guard that is killed cannot: the child dies with it, but what the child started goes on, and
may work on a job that another process begins again. Its processes are found by a mark in their environment, which they inherit. Linux
only; a process that clears its environment is not found.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")
VARIABLE = "REELWRIGHT_CHILD_OF"
STEP_S = 0.02  # pause between two checks whether killed processes have ended


class Server:
    """This server process, with its name in the marks of its worker processes."""

    name = f"process-{os.getpid()}"


def mark_of(slot: str) -> str:
    """Return the mark of the processes in one of this server's slots."""
    return f"{Server.name}/{slot}"


def marked_processes(mark: str) -> list[int]:
    """Return the ids of living processes with a mark.

    A mark below `mark` counts, too. A server's name thus finds the processes of all its slots.
    """
    exact, prefix = (f"{VARIABLE}={mark}{end}".encode() for end in ("", "/"))
    pids = []
    for path in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            entries = (path / "environ").read_bytes().split(b"\0")
            if any(entry == exact or entry.startswith(prefix) for entry in entries) and not _has_ended(int(path.name)):
                pids.append(int(path.name))
    return pids


def end_marked(mark: str, wait_s: float) -> list[int]:
    """Kill the marked processes.

    Returns the ids of processes alive after `wait_s` seconds. See `marked_processes`. Blocks.
    """
    deadline = time.monotonic() + wait_s
    killed: set[int] = set()
    while True:
        for pid in marked_processes(mark):
            killed.add(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        # A dying process loses its environment before its files and their locks.
        left = [pid for pid in killed if not _has_ended(pid)]
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(STEP_S)


def _has_ended(pid: int) -> bool:
    """Return whether a process is gone or a zombie, which holds no files."""
    try:
        return (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (OSError, IndexError):
        return True
