"""The sandbox's layers, and their availability on this machine.

A layer is a protection by the kernel: Landlock or seccomp.
"""

from dataclasses import dataclass

from shared.worker.sandbox import landlock, system_calls


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of the sandbox, active or not."""

    name: str
    active: bool
    detail: str


def available() -> list[Layer]:
    """Return the sandbox's layers, with their availability on this machine."""
    landlock_version = landlock.version()
    covers = [
        "files",
        *(["TCP"] if landlock_version >= landlock.TCP_SINCE else []),
        *(["signals"] if landlock_version >= landlock.SCOPE_SINCE else []),
    ]
    filtered = system_calls.supported()
    return [
        Layer(
            name="landlock",
            active=landlock_version > 0,
            detail=f"version {landlock_version}: {', '.join(covers)}"
            if landlock_version
            else "not in this kernel: jobs can read the files of the server's user",
        ),
        Layer(
            name="seccomp",
            active=filtered,
            detail="no network, no access to other processes" if filtered else "not on this kernel or processor: jobs can use the network",
        ),
    ]
