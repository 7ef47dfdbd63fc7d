"""Limits of calls in worker processes, and the memory that a call uses."""

from dataclasses import dataclass

from shared.errors import OutOfMemory, TimedOut

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a call, and the settings that its errors name."""

    timeout_s: float
    """Time limit in seconds, from when the child is ready."""
    memory_bytes: int
    """Memory limit of the child and its descendants."""
    lease_s: float = 0
    """Seconds without a sign of life from the server until a call is killed. 0: no limit."""
    module: str = ""
    """Module that a child imports before it counts as ready."""
    niceness: int = 10
    """Nice value of the child. 19 yields the processor most, 0 not at all."""
    in_copies: bool = False
    """Whether each call runs in a forked copy of the child. The copy ends with the call. Linux only."""
    subject: str = "job"
    """Name of the call in error messages."""
    timeout_setting: str = ""
    """Setting behind the time limit, for error messages. Empty: the limit is no setting."""
    memory_setting: str = ""
    """Setting behind the memory limit, for error messages. Empty: the limit is no setting."""

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
