"""Environment variables of a worker process."""

import os

from shared.worker.processes import family_mark
from shared.worker.sandbox.paths import INSTALLED, OWN

# Environment variables that a child gets. All others (keys, passwords, URLs) are kept from the code that opens uploads.
PASSED_ON = (
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DEVICE",
    "MODELS_AUTO_PULL",
    "REELWRIGHT_DATA_DIR",
    "REELWRIGHT_DEVICE",
    "REELWRIGHT_JOB_MEMORY_BYTES",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
HEAPS = "2"
"""Number of heaps of glibc. By default each of dozens of threads has its own heap and keeps freed memory: 60 MB of a flow render's 600."""
PASSED_ON_PREFIXES = ("CUDA_", "NVIDIA_", "OMP_", "REELWRIGHT_MAX_", "REELWRIGHT_MODEL")
FOR_DOWNLOADS = ("HF_ENDPOINT", "REELWRIGHT_MODELS_MIRROR")
"""Variables that only a child with network gets: addresses may contain passwords."""


def environment(mark: str, *, network: bool) -> dict[str, str]:
    """Return the environment of a child process.

    `mark`: marks its family. `network`: whether it may use the network.
    """
    passed = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)}
    for name in FOR_DOWNLOADS:
        passed.pop(name, None)
        if network and name in os.environ:
            passed[name] = os.environ[name]
    python = {"PYTHONSAFEPATH": "1", "PYTHONPATH": _module_folders(os.environ.get("PYTHONPATH", ""))}
    return passed | python | {"MALLOC_ARENA_MAX": HEAPS, family_mark.VARIABLE: mark}


def _module_folders(listed: str) -> str:
    """Return the value of PYTHONPATH for a child: this project's folder, then `listed`.

    A child reads every folder of modules. By itself, Python adds the folder that the server was started in, which may be a home folder; an
    empty entry means that folder, too.
    """
    own = [] if OWN.name in INSTALLED else [str(OWN)]
    return os.pathsep.join([*own, *(entry for entry in listed.split(os.pathsep) if entry)])
