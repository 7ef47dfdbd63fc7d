"""The sandbox of one worker process, as its parent requests it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from shared.errors import Unavailable

Mode = Literal["auto", "require", "off"]
INPUTS, OUTPUTS, TEMPORARY = "in", "out", "tmp"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The access to files and networks that a worker process is allowed.

    `folder`: the process's own folder, with the inputs (read), outputs and temporary files (written). `data_dir` is closed except for
    `folder` and `writable`. `mode`: "auto" uses the layers that the kernel has, "require" refuses to work without Landlock, "off" uses none
    of the layers that deny files and network.
    """

    folder: str
    data_dir: str
    mode: Mode = "auto"
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Python packages that the process imports, besides `shared`."""
    network: bool = False

    @property
    def inputs(self) -> Path:
        """Folder of input files, read-only for the process."""
        return Path(self.folder, INPUTS)

    @property
    def outputs(self) -> Path:
        """Folder that the process writes its outputs to."""
        return Path(self.folder, OUTPUTS)

    @property
    def temporary(self) -> Path:
        """Folder of temporary files."""
        return Path(self.folder, TEMPORARY)

    def dump(self) -> str:
        """Serialise the sandbox's settings to JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Sandbox":
        """Parse the JSON text of `dump`."""
        fields = json.loads(text)
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**fields | lists)


class SandboxMissing(Unavailable):
    """Sandbox not available"""

    type = "sandbox-missing"
