"""Paths of the system and of Python that a worker process may use."""

import glob
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from shared.worker.sandbox.landlock import DEVICE, READ, USE, WRITE, Files
from shared.worker.sandbox.plan import Sandbox

PROGRAMS = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/nix/store",
    "/gnu/store",
    "/opt/rocm",
    "/opt/intel",
    "/opt/nvidia",
)
CONFIGURATION = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/localtime", "/etc/timezone"),
    *("/etc/alternatives", "/etc/fonts", "/etc/OpenCL", "/etc/vulkan", "/etc/mime.types", "/var/cache/fontconfig"),
)
KERNEL = ("/proc", "/sys")
"""Folders of the kernel's interface, open for reading. The kernel itself hides the memory of processes outside the sandbox."""
GPUS = ("/dev/nvidia*", "/dev/dri", "/dev/kfd", "/dev/dxg", "/dev/nvhost*", "/dev/nvmap")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", *GPUS)
INSTALLED = ("site-packages", "dist-packages")
"""Names of folders that hold nothing but packages."""
OWN = Path(__file__).resolve().parents[3]
"""Folder that holds this project's packages: a checkout, or a folder of installed packages."""
SHARED_MEMORY = "/dev/shm"
SHARED_MEMORY_FOR = ("/dev/nvidia*", "/dev/dxg", "/dev/kfd")
"""Devices of GPUs whose drivers use the folder of shared memory, and sockets.

CUDA uses them only for MPS, ROCm always. Without such a GPU the folder is closed."""
NETWORK = ("/etc",)
"""Folders for processes that download: host names, certificates, pip's configuration."""


def rules(sandbox: Sandbox, libraries: str = "") -> Iterator[tuple[Path, Files]]:
    """Yield the paths that a worker process may use, with access rights.

    `libraries`: further folders of libraries, separated by colons as in LD_LIBRARY_PATH.
    """
    private = Path(sandbox.data_dir).resolve()
    for path in (*map(Path, PROGRAMS), *_python(sandbox.packages), *map(Path, filter(None, libraries.split(os.pathsep)))):
        yield from ((part, USE) for part in without(path, private))
    yield from ((path, READ) for path in (*map(Path, (*CONFIGURATION, *KERNEL, *sandbox.readable)), sandbox.inputs))
    yield from ((Path(path), DEVICE) for pattern in DEVICES for path in glob.glob(pattern))
    shared = [SHARED_MEMORY] if has_shared_memory() else []
    yield from ((path, WRITE) for path in (*map(Path, (*shared, *sandbox.writable)), sandbox.outputs, sandbox.temporary))
    if sandbox.network:
        home = Path.home()
        yield from ((path, READ) for path in (*map(Path, NETWORK), home / ".config/pip", home / ".pip", home / ".netrc"))


def has_gpu() -> bool:
    """Return whether the machine has a GPU, which jobs take in turn."""
    return any(glob.glob(pattern) for pattern in GPUS)


def has_shared_memory() -> bool:
    """Return whether jobs may use shared memory and local sockets.

    The drivers of some GPUs need them.
    """
    return any(glob.glob(pattern) for pattern in SHARED_MEMORY_FOR)


def without(path: Path, private: Path) -> Iterator[Path]:
    """Yield `path`; if it contains `private`, yield its entries except `private`.

    Yields nothing for a path in `private`.
    """
    path = Path(os.path.realpath(path))
    if path == private or private in path.parents:
        return
    if path not in private.parents:
        yield path
        return
    try:
        entries = sorted(path.iterdir())
    except OSError:
        return
    for entry in entries:
        yield from without(entry, private)


def _python(packages: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folders of Python, installed packages and this project."""
    yield from map(Path, {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.path.realpath(sys.executable))})
    if OWN.name not in INSTALLED:  # a checkout may hold settings and secrets, too
        yield from (OWN / package for package in ("shared", *packages))
    for entry in filter(None, sys.path):
        folder = Path(entry).resolve()
        if folder != OWN or OWN.name in INSTALLED:
            yield folder
