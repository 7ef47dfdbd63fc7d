"""A store that keeps measurements, such as a clip's camera motion, for later jobs.

Each measurement is a file. A key stands for the content that was measured. The files are limited in size and age.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
MOST_BYTES = 256 * MIB
LARGEST_BYTES = 64 * MIB
"""Largest file that is kept. The motion of a 12-hour clip takes less."""


@dataclass(frozen=True)
class MeasurementStore:
    """A store of measurement files, each at `<root>/<owner>/<key>`.

    Every owner has files of their own. Every method blocks on the disk.

    Files that were not used for `ttl_s` seconds are deleted. While all files together exceed `most_bytes`, so is the file used longest ago.
    """

    root: Path
    ttl_s: float
    most_bytes: int = MOST_BYTES

    @classmethod
    def of(cls, data_dir: Path, *, ttl_s: float) -> "MeasurementStore":
        """Return the measurement store in the data folder `data_dir`.

        It lies on the volume of the media.
        """
        return cls(data_dir.absolute() / "measured", ttl_s)

    def fetch(self, owner: str, key: str, target: Path) -> bool:
        """Copy a measurement file to `target`; return False if it is missing.

        A copy, because the process that gets it opens untrusted media and must not change the store.
        """
        path = self.root / owner / key
        try:
            shutil.copyfile(path, target)
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def keep(self, owner: str, key: str, file: Path) -> None:
        """Move `file` into the store, unless it is too large."""
        if file.lstat().st_size > LARGEST_BYTES:
            return
        path = self.root / owner / key
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, path)
        self.sweep()

    def sweep(self) -> None:
        """Delete measurement files over the limits of age and total size."""
        total = 0
        for used_at, size, path in sorted(self._files(), reverse=True):
            total += size
            if total > self.most_bytes or time.time() - used_at > self.ttl_s:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.root.glob("*/*"):
            with suppress(FileNotFoundError):  # another process sweeps too
                about = path.stat()
                yield about.st_mtime, about.st_size, path
