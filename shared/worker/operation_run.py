"""Execution of an operation in a child process.

It works on the files of a job, and measures the outputs.
"""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import OperationFailed
from shared.file_calls import FileRequest, ProbedFile
from shared.operation import SUFFIXES, Kind, Operation, Progress
from shared.worker_call import Target

PLAIN = {Kind.JSON: "application/json", Kind.HTML: "text/html; charset=utf-8", Kind.ARCHIVE: "application/zip"}
"""Content types of the kinds that are not probed."""


@dataclass(frozen=True, kw_only=True)
class OperationCall:
    """The request of `perform`: one run of an operation."""

    module: str
    """The module that holds the table OPERATIONS."""
    operation: str
    params: dict[str, Any]
    inputs: dict[str, str | list[str] | None]
    """Name -> path, list of paths, or None."""
    folder: str
    """An existing empty folder for the outputs."""
    measurements: str | None = None
    """Path of the file of measurements, existing or not; None: the operation needs none."""
    cut: tuple[float, float] | None = None
    """Start and end in seconds of a preview's part of the videos. None: all. Every frame of the videos is a keyframe."""


@dataclass(frozen=True, kw_only=True)
class OperationAnswer:
    """The answer of `perform`: result and output files."""

    result: dict[str, Any]
    outputs: dict[str, ProbedFile]


PERFORM = Target(name=f"{__name__}:perform", request=OperationCall, answer=OperationAnswer)


def perform(call: OperationCall, progress: Progress) -> OperationAnswer:
    """Run the operation of `call`, and describe the files that it wrote."""
    operation = find(call.module, call.operation)
    outputs = {name: output_path(Path(call.folder), name, kind) for name, kind in operation.outputs.items()}
    inputs = call.inputs if call.cut is None else _cut(call, operation, *call.cut)
    result = operation.run(
        operation.params.model_validate(call.params),
        **{name: as_paths(names) for name, names in inputs.items()},
        **output_arguments(outputs),
        **({operation.measurement.name: Path(call.measurements)} if operation.measurement and call.measurements else {}),
        progress=progress,
    )
    if not isinstance(result, operation.result):
        promised, returned = operation.result.__name__, type(result).__name__
        raise OperationFailed(
            f"{operation.name} returned a {returned} instead of a {promised}: a defect of the operation, not of the input."
        )
    files = {name: describe(path, operation.outputs[name], progress) for name, path in outputs.items() if os.path.lexists(path)}
    return OperationAnswer(result=result.model_dump(mode="json"), outputs=files)


def _cut(call: OperationCall, operation: Operation, start_s: float, end_s: float) -> dict[str, str | list[str] | None]:
    """Trim input videos to a preview's part; return inputs with new paths.

    The pictures are copied, so every frame of the videos must be a keyframe.
    """
    from shared.video import cut_keyframes  # imported here: services that read no videos do not need its libraries

    def part(path: str) -> str:
        target = Path(call.folder, f"part-{Path(path).parent.name}-{Path(path).stem}.mp4")
        cut_keyframes(path, target, start_s=start_s, end_s=end_s)
        return str(target)

    videos = {name for name, port in operation.ports.items() if Kind.VIDEO in port.kinds}
    return {
        name: names if name not in videos or not names else [part(path) for path in names] if isinstance(names, list) else part(names)
        for name, names in call.inputs.items()
    }


def find(module: str, name: str) -> Operation:
    """Return the operation `name` from the table OPERATIONS of `module`."""
    operations: tuple[Operation, ...] = importlib.import_module(module).OPERATIONS
    return {operation.name: operation for operation in operations}[name]


def as_paths(names: str | list[str] | None) -> Path | list[Path] | None:
    """Convert the paths of one input to the argument of `run`."""
    if names is None:
        return None
    return [Path(path) for path in names] if isinstance(names, list) else Path(names)


def output_arguments(outputs: dict[str, Path]) -> dict[str, Any]:
    """Return the output paths as keyword arguments of `run`.

    See Operation.
    """
    if not outputs:
        return {}
    return {"output": next(iter(outputs.values()))} if len(outputs) == 1 else {"outputs": outputs}


def output_path(folder: Path, name: str, kind: Kind) -> Path:
    """Return the path of the output `name` in a job's folder of outputs."""
    return (folder / name).with_suffix(SUFFIXES[kind])


def describe(path: Path, kind: Kind, progress: Progress) -> ProbedFile:
    """Return the properties of a finished output file.

    Videos and images are probed like uploads.
    """
    if path.is_symlink() or not path.is_file():
        raise OperationFailed(f"The operation wrote {path.name!r}, which is not a regular file.")
    if content_type := PLAIN.get(kind):
        return ProbedFile(kind=kind, content_type=content_type, suffix=path.suffix, media=None)
    from shared.video import inspect  # imported here: services that write no pictures do not need its libraries

    return inspect(FileRequest(path=str(path)), progress)
