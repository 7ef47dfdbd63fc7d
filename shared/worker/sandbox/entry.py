"""Entry into the sandbox: applies all layers to the calling process."""

import importlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from shared.worker.sandbox import landlock, system_calls
from shared.worker.sandbox.paths import OWN, has_shared_memory, rules
from shared.worker.sandbox.plan import Sandbox, SandboxMissing
from shared.worker.sandbox.privileges import drop_capabilities, forbid_new_privileges


def enter(sandbox: Sandbox) -> list[str]:
    """Apply the sandbox's limits to this process.

    Returns the names of the active layers. The limits are permanent. Call it before any other thread starts, since a thread's limits hold
    for itself and the threads that it starts. Raises SandboxMissing if the sandbox is required and the kernel has no Landlock.
    """
    _use_own_folders(sandbox)
    for package in sandbox.packages:  # afterwards the folder that holds the packages cannot be searched
        with suppress(ImportError):
            importlib.import_module(package)
    active = ["no-new-privileges"] if forbid_new_privileges() else []
    if drop_capabilities():
        active.append("no-capabilities")
    if sandbox.mode == "off":
        return active
    if landlock.restrict(rules(sandbox, os.environ.get("LD_LIBRARY_PATH", "")), tcp=sandbox.network):
        active.append("landlock")
    elif sandbox.mode == "require":
        raise SandboxMissing(
            "REELWRIGHT_SANDBOX=require, but this kernel has no Landlock (Linux 5.13 or later, with `landlock` among its `lsm`)."
        )
    if system_calls.install(shared_memory=has_shared_memory(), network=sandbox.network):
        active.append("seccomp")
    return active


def _use_own_folders(sandbox: Sandbox) -> None:
    """Redirect temporary files, caches and home to the process's own folder."""
    folder = str(sandbox.temporary)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    if not sandbox.network:  # a process that downloads reads pip's configuration in the home folder
        os.environ["HOME"] = folder
    os.environ["XDG_CACHE_HOME"] = folder
    os.environ.setdefault("USER", "reelwright")  # libraries ask for the name of the user, which stands in /etc/passwd
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_linked(sandbox)), os.environ.get("PYTHONPATH"))))


def _linked(sandbox: Sandbox) -> Path:
    """Create a folder of links to the project's packages; return it.

    Python programs that the process starts find the packages there: the folder that holds them cannot be listed.
    """
    folder = sandbox.temporary / "packages"
    folder.mkdir(exist_ok=True)
    for package in ("shared", *sandbox.packages):
        if (OWN / package).exists() and not (folder / package).exists():
            (folder / package).symlink_to(OWN / package)
    return folder
