"""Limits of calls in worker processes, and what a call uses."""

from dataclasses import dataclass

from shared.errors import OutOfMemory, TimedOut

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Time limit of a call, and memory limit of the child and its descendants.

    Seconds on the clock, and bytes; time counts from when the child is ready. `lease_s`: a call also ends when this process is frozen for
    so long (0: it goes on). `module`: imported by a child before it counts as ready. `niceness`: how far a child yields the processor.
    `subject`: the call's name in error messages; `timeout_setting` and `memory_setting`: the settings behind the limits, named there too;
    empty: the limit is no setting.
    """

    timeout_s: float
    memory_bytes: int
    lease_s: float = 0
    module: str = ""
    niceness: int = 10
    subject: str = "job"
    timeout_setting: str = ""
    memory_setting: str = ""

    def out_of_memory(self, used_bytes: int | None = None) -> OutOfMemory:
        """Return the error for a call that exceeded its memory limit.

        `used_bytes`: memory of the child; None if the child was refused more memory.
        """
        limit = f"{self.memory_bytes // MIB} MiB{_named(self.memory_setting)}"
        if used_bytes is None:
            return OutOfMemory(f"The {self.subject} needs more memory than its limit of {limit}.")
        return OutOfMemory(f"The {self.subject} used {used_bytes // MIB} MiB of memory; its limit is {limit}.")

    def timed_out(self) -> TimedOut:
        """Return the error for a call that exceeded its time limit."""
        return TimedOut(f"The {self.subject} was stopped after {self.timeout_s:g} seconds, its time limit{_named(self.timeout_setting)}.")


@dataclass
class Usage:
    """Peak memory of a call, kept up to date while the call runs."""

    peak_memory_bytes: int = 0


def _named(setting: str) -> str:
    return f" ({setting})" if setting else ""
