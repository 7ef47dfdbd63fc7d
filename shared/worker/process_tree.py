"""A process and all that it started: who they are, and how much memory they hold."""

import contextlib
import os
from pathlib import Path

import psutil

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """Ids of all processes below `pid`, zombies too. Asks the kernel for each one's children where it lists them (Linux: 0.1 ms each)."""
    if not Path("/proc/self/task").exists():
        return _descendants_by_search(pid)
    found, waiting = [], [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def memory_bytes(pid: int) -> int:
    """Resident bytes of a process and all its descendants."""
    return sum(_resident(member) for member in (pid, *descendants(pid)))


def _children(pid: int) -> list[int]:
    """Each thread has its own list of the children that it started."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        pass
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _descendants_by_search(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []
