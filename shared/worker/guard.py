"""Guard process: kills a worker's descendants when the worker or the server ends.

The worker process is the guard's child.

Started as `python -I -S guard.py FD LEASE_S COMMAND...`.

It makes sure that all descendants of a child end with it, whatever dies first: the child may crash, the server may be killed (then the
guard's standard input ends), or a descendant may have left the process group. On Linux the guard adopts orphans, so it can kill until none
is left; elsewhere it kills the process group. It exits with its child's exit status, which slot.py reads.

A server that is frozen for longer than LEASE_S (0: no limit) counts as dead, too: other processes may have taken over its jobs by then.

Only the standard library, and little of it: one guard runs for each warm child.
"""

import contextlib
import ctypes
import os
import resource
import selectors
import signal
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LIFE = 0
"""Standard input: a pipe that closes when the server dies. While a call runs, the server writes to it as a sign of life."""

ALIVE, IDLE = b"+", b"-"
LOOK_S = 0.5


def main(command: list[str], fd: int, lease_s: float) -> None:
    """Run `command` until it ends or the server dies; then kill all its descendants.

    The child inherits the socket `fd`.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # these signals reach whole terminals and control groups; the server ends its jobs itself
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    for descriptor in map(int, os.listdir("/dev/fd")):
        if descriptor > 2 and descriptor != fd:
            with contextlib.suppress(OSError):  # the folder's own descriptor is closed by now
                os.set_inheritable(descriptor, False)  # the server's lock, which untrusted work must not release
    child = os.posix_spawn(command[0], command, os.environ, file_actions=[null, (os.POSIX_SPAWN_DUP2, 2, 1)])
    os.close(fd)  # the slot must notice when the child's copy closes
    status = _watch(child, wake, lease_s)
    _end_all()
    end_like(status)


def _watch(child: int, wake: int, lease_s: float) -> int:
    """Wait until the child or the server ends.

    Returns the child's wait status; 0 if the server ended or is frozen.
    """
    selector = selectors.DefaultSelector()
    selector.register(LIFE, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    deadline = float("inf")
    while _now() < deadline:
        ready = {key.fd for key, _ in selector.select(LOOK_S if deadline < float("inf") else None)}
        if wake in ready:
            os.read(wake, 512)
            with contextlib.suppress(ChildProcessError):
                while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                    if ended[0] == child:
                        return ended[1]
        if LIFE in ready:
            signs = os.read(LIFE, 65536)
            if not signs:
                return 0
            deadline = _now() + lease_s if lease_s and signs.endswith(ALIVE) else float("inf")
    return 0


def _now() -> float:
    """Return seconds on a clock that also counts while the machine sleeps.

    The monotonic clock where the system has no such clock.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _end_all() -> None:
    """Kill all descendants of this process; on systems other than Linux, its process group.

    On Linux a process that loses its parent becomes a child of the guard, so children are killed until none is left.
    """
    if sys.platform != "linux":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(0, signal.SIGKILL)  # kills the guard, too, so the child's exit status is lost
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)


def _children() -> list[int]:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if children.exists():
        return [int(pid) for pid in children.read_text().split()]
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == os.getpid()]


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def end_like(status: int) -> None:
    """End this process with the wait status of another one."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[3:], int(sys.argv[1]), float(sys.argv[2]))
