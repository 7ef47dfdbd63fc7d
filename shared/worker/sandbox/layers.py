"""The layers that keep worker processes away from secrets and other jobs."""

from dataclasses import dataclass

from shared.worker.sandbox import landlock, privileges, system_calls

OPTIONAL = ("landlock", "seccomp")
"""Layers that REELWRIGHT_SANDBOX=off switches off."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of the sandbox, active or not.

    `detail`: what the layer denies, or why it is inactive.
    """

    name: str
    active: bool
    detail: str


def available(*, serving: bool, network: bool) -> list[Layer]:
    """Return the sandbox's layers, with their availability on this machine.

    `network`: whether jobs may use the network, to download models. `serving`: whether this process is a server. A server reports whether
    its own memory is protected. Any other process reports whether a server's memory could be.
    """
    landlock_version = landlock.version()
    covers = [
        "files",
        *(["TCP"] if landlock_version >= landlock.TCP_SINCE else []),
        *(["signals"] if landlock_version >= landlock.SCOPE_SINCE else []),
    ]
    filtered, restricted = system_calls.supported(), privileges.supported()
    closed = privileges.memory_closed() if serving else privileges.supported()
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
            detail=f"{'network for models (REELWRIGHT_MODELS_AUTO_PULL)' if network else 'no network'}, no access to other processes, "
            "no changes of file modes"
            if filtered
            else "not on this kernel or processor: jobs can use the network",
        ),
        Layer(
            name="privileges",
            active=restricted,
            detail="no capabilities, no new privileges" if restricted else "not on this system: jobs keep the rights of the server's user",
        ),
        Layer(
            name="server-memory",
            active=closed,
            detail="closed to other programs of the server's user"
            if closed
            else "not closed by this system: jobs can read the keys in the server's memory",
        ),
        Layer(name="environment", active=True, detail="only variables of a short list, without secrets"),
    ]
