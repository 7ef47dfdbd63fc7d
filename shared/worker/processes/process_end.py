"""Ending of worker processes and their descendants: kill, wait, and report long waits.

A killed process stays while it waits in the kernel, usually for a disk or a network file system that does not answer.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterable

from shared.worker.processes.family_mark import PROC, end_marked
from shared.worker.processes.process_tree import descendants

GUARD_S = 0.4
"""Seconds for the guard to end all descendants before it is killed itself."""
LINGER_S = 10.0
"""Seconds without an end after which killed processes are reported."""

LINGER_CAUSE = "The usual cause is a disk or a network file system that does not answer."

Report = Callable[[str], Awaitable[None]]
"""Receives a description of the processes that have not ended."""


async def end(process: asyncio.subprocess.Process, mark: str, report: Report) -> None:
    """Kill a guard and its descendants; wait until they have ended.

    Closing the guard's standard input makes the guard end its descendants and itself; if that fails, all are killed. `mark`: mark of these
    processes, which finds processes that have lost their guard. `report` is called once if they have not ended after LINGER_S.
    """
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), GUARD_S)
    except TimeoutError:
        for pid in descendants(process.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # descendants that are left if the guard itself was killed
    ending = asyncio.ensure_future(process.wait())
    if not (await asyncio.wait({ending}, timeout=LINGER_S))[0]:
        await report(described((process.pid, *descendants(process.pid))))
    if await ending:  # a guard that was not killed has waited for all descendants
        reported = False
        while left := await asyncio.to_thread(end_marked, mark, LINGER_S):
            if not reported:
                await report(described(left))
            reported = True


def described(pids: Iterable[int]) -> str:
    """Describe processes: id and program, and the kernel function that blocks signals.

    If a signal cannot reach some of them, only those are described: the others wait for them.
    """
    descriptions = [_description(pid) for pid in pids]
    unreachable = [text for text, reachable in descriptions if not reachable]
    return ", ".join(unreachable or [text for text, _ in descriptions]) or "processes that are not visible"


def _description(pid: int) -> tuple[str, bool]:
    """Return a process's description, and whether signals reach the process."""
    try:
        program, _, rest = (PROC / f"{pid}/stat").read_text().partition("(")[2].rpartition(")")
        state = rest.split()[0]
    except (OSError, IndexError):
        return f"process {pid}", True
    if state != "D":
        return f"process {pid} ({program})", True
    place = ""
    with contextlib.suppress(OSError):
        place = (PROC / f"{pid}/wchan").read_text().strip("0\n")
    return f"process {pid} ({program}, waits in the kernel{f': {place}' if place else ''})", False
