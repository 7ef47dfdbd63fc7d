"""Limit on retries of jobs whose child process was killed from outside."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
MAX_OF_MEMORY = 3
"""Number of kills for lack of memory after which the job fails. The job itself may use too much."""
MAX_KILLS = 1000
LONGEST_PAUSE_S = 10.0


def oom_kills(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Count the processes that the kernel killed for lack of memory.

    Counts the processes of this process's control group (a container or a system service) where the kernel does, else those of the whole
    machine. `proc`, `cgroups`: the kernel's file systems. Source: the kernel's documents cgroup-v2 (`memory.events`) and cgroup-v1
    (`memory.oom_control`).
    """
    counts = (_stated(path) for path in (*_own_counters(proc, cgroups), proc / "vmstat"))
    return next((count for count in counts if count is not None), 0)


def _own_counters(proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield the files that may hold the counter of this process's control group.

    A container may see its own group as the root, whatever the group's path is called.
    """
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return
    groups = {controllers: path.lstrip("/") for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2)}
    for controllers, folder, name in (("", cgroups, "memory.events"), ("memory", cgroups / "memory", "memory.oom_control")):
        if controllers in groups:
            yield folder / groups[controllers] / name
            yield folder / name


def _stated(path: Path) -> int | None:
    """Return the number after `oom_kill` in a kernel file; None without `oom_kill`."""
    with suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return None


@dataclass
class Kills:
    """A counter of the times that a job's process was killed from outside.

    A job that crashes by itself is not tried again and does not come here.
    """

    _count: int = 0
    _of_memory: int = 0
    _last_oom_kills: int = field(default_factory=oom_kills)

    @property
    def pause_s(self) -> float:
        """Seconds to wait before the next attempt; longer after each kill."""
        return min(LONGEST_PAUSE_S, 0.05 * 2.0 ** min(self._count, 10))

    def another(self) -> bool:
        """Count a kill; return whether to try the job again."""
        self._count += 1
        if (now := oom_kills()) > self._last_oom_kills:
            self._of_memory, self._last_oom_kills = self._of_memory + 1, now
        return self._of_memory < MAX_OF_MEMORY and self._count < MAX_KILLS
