"""Peak memory of an operation that runs several times in one process.

`python -m tests.repeated_runs OPERATION FOLDER TIMES SAMPLE=FILE...`, in the environment of a worker process.
"""

import json
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from reelwright import ROOMS
from shared.operation import SUFFIXES, Operation, Sample, Silent
from shared.worker import heap
from shared.worker.operation_run import output_arguments

IMPORTED_LATE = ("opentimelineio", "pi_heif")
"""Libraries that operations import after their memory peak. They are imported before the first run, so that they do not count as growth."""


def example_arguments(operation: Operation, files: dict[Sample, Path], folder: Path) -> dict[str, Any]:
    """Return the keyword arguments that run an operation's example.

    The example runs on `files` and writes into `folder`.
    """
    inputs = dict.fromkeys(operation.ports) | {
        name: [files[port.sample]] if port.many else files[port.sample] for name, port in operation.example_inputs.items()
    }
    outputs = {name: folder / f"{name}{SUFFIXES[kind]}" for name, kind in operation.outputs.items()}
    return inputs | output_arguments(outputs)


def peak_bytes(path: Path = Path("/proc/self/status")) -> int:
    """Return the peak resident memory of this process since `reset_peak`."""
    line = next(line for line in path.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def reset_peak() -> None:
    """Restart the measurement that `peak_bytes` returns (Linux only)."""
    Path("/proc/self/clear_refs").write_text("5")


def main(name: str, folder: Path, times: int, files: dict[Sample, Path]) -> None:
    """Run an operation `times` times; print the peaks as a JSON list.

    After each run, freed memory goes back to the system, as in a worker.
    """
    for library in IMPORTED_LATE:
        with suppress(ImportError):
            import_module(library)
    operation = {operation.name: operation for room in ROOMS for operation in room.service.operations}[name]
    peaks = []
    for number in range(times):
        run_folder = folder / str(number)
        run_folder.mkdir()
        reset_peak()
        operation.run(operation.example, **example_arguments(operation, files, run_folder), progress=Silent())
        peaks.append(peak_bytes())
        heap.trim()
    print(json.dumps(peaks))


if __name__ == "__main__":
    options = dict(argument.split("=", 1) for argument in sys.argv[4:])
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), {Sample(name): Path(path) for name, path in options.items()})
