"""Limit on retries of a job whose child process the kernel or another process killed."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat"))
"""Files with the kernel's counter `oom_kill`: of this container, and of the machine."""
MAX_OF_MEMORY = 3
"""Kills while the machine runs out of memory, which may be the job's own fault."""
MAX_KILLS = 1000
LONGEST_PAUSE_S = 10.0


def oom_kills() -> int:
    """Return a count that grows with each process that the kernel kills for lack of memory."""
    count = 0
    for path in COUNTERS:
        with suppress(OSError, ValueError):
            count += sum(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith("oom_kill "))
    return count


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
