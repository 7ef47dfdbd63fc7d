"""Results and measurements that the steps of a local pipeline run share."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.json_digest import json_digest
from shared.operation import Operation, Params

Inputs = Mapping[str, Path | list[Path] | None]


@dataclass(frozen=True)
class FinishedStep:
    """A finished step: its result and its output files."""

    result: Any
    files: Mapping[str, Path]


@dataclass
class RunMemory:
    """Memory of a run's finished steps, by operation, params and inputs.

    `folder`: holds measurements, such as a clip's motion, and is removed after the run. Two input files are equal if
    they are one file on the disk. So the outputs of a step that is found again are links to the earlier outputs.
    """

    folder: Path
    _steps: dict[str, FinishedStep] = field(default_factory=dict)

    def find(self, operation: Operation, params: Params, inputs: Inputs, outputs: Mapping[str, Path]) -> FinishedStep | None:
        """Return an equal finished step, with its files linked to `outputs`, or None.

        Equal steps have the same operation, params and inputs. None also for an operation whose results must not be reused.
        """
        earlier = self._steps.get(self._key(operation, params, inputs))
        if earlier is None or not operation.remembered:
            return None
        return FinishedStep(earlier.result, {name: _linked(path, outputs[name]) for name, path in earlier.files.items()})

    def keep(self, operation: Operation, params: Params, inputs: Inputs, finished: FinishedStep) -> None:
        """Remember a finished step."""
        self._steps[self._key(operation, params, inputs)] = finished

    def measurements(self, operation: Operation, params: Params, inputs: Inputs) -> dict[str, Path]:
        """Return the file that keeps the operation's measurement, as {argument name: path}.

        Operations with the same measurement get the same file. They read it, or create it if it is missing. Empty if the operation
        keeps none with these params, or if the measured input is not a single file.
        """
        measurement = operation.measurement
        if measurement is None or not isinstance(file := inputs.get(measurement.input), Path):
            return {}
        key = measurement.key(operation.service, params, lambda: _identity(file))
        return {} if key is None else {measurement.name: self.folder / key}

    def _key(self, operation: Operation, params: Params, inputs: Inputs) -> str:
        files = {
            name: [_identity(path) for path in source] if isinstance(source, list) else _identity(source)
            for name, source in inputs.items()
            if source is not None
        }
        return json_digest([operation.name, params.model_dump(mode="json"), files])


def _identity(path: Path) -> list[int | str]:
    status = path.stat()
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]


def _linked(path: Path, name: Path) -> Path:
    """Create the link `name` to the file `path`, with the suffix of `path`.

    File systems without links get a copy. Returns the path of the link.
    """
    target = name.with_suffix(path.suffix)
    target.unlink(missing_ok=True)
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
    return target
