"""The layers of the sandbox, and which of them this machine has."""

from dataclasses import dataclass

from shared.worker.sandbox import landlock, system_calls


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of the sandbox."""

    name: str
    active: bool
    detail: str


def available() -> list[Layer]:
    """Return the layers, and whether worker processes on this machine have them."""
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
