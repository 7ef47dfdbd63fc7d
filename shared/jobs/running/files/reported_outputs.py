"""Check of what a worker process reports about the outputs of an operation.

A process that opened hostile media may report anything. The server believes only what the operation declares.
"""

from collections.abc import Mapping

from shared.errors import OperationFailed
from shared.file_calls import ProbedFile
from shared.media.types import IMAGES, PICTURES, VIDEO_TYPES, FileType
from shared.operation import SUFFIXES, Kind, Operation
from shared.worker.operation_run import PLAIN

FILE_TYPES: Mapping[Kind, frozenset[FileType]] = {
    **{kind: frozenset({FileType(content_type, SUFFIXES[kind])}) for kind, content_type in PLAIN.items()},
    Kind.VIDEO: VIDEO_TYPES,
    Kind.IMAGE: frozenset(IMAGES.values()),
    Kind.IMAGES: frozenset({PICTURES}),
}
"""Possible file types of an output of each kind."""

MOST_PROPERTY_BYTES = 4 * 1024**2
"""Maximum size in bytes of a file's properties. They are read with every list of media."""


def check_outputs(operation: Operation, files: Mapping[str, ProbedFile]) -> None:
    """Check reported outputs against the operation's declaration.

    Raises OperationFailed for an unknown name, another kind, a file type that the kind cannot have, and properties of another kind.
    """
    for name, file in files.items():
        if fault := _fault(operation.outputs.get(name), file):
            raise OperationFailed(f"The operation reported {fault} {name[:40]!r}. This is a defect of the operation, not of the input.")


def _fault(kind: Kind | None, file: ProbedFile) -> str:
    """Describe what is wrong with an output; empty if nothing is.

    `kind`: the declared kind; None: no output of that name is declared.
    """
    if kind is None:
        return "an output that it does not declare:"
    if file.kind != kind:
        return f"a file of kind {file.kind.value!r} as its {kind.value!r} output"
    fault = type_fault(file)
    return f"{fault} of its output" if fault else ""


def type_fault(file: ProbedFile) -> str:
    """Describe the contradiction between a reported kind and a file.

    Empty if there is none.
    """
    if FileType(file.content_type, file.suffix) not in FILE_TYPES[file.kind]:
        return "a wrong file type"
    wrong = (None if file.media is None else file.media.kind) != (None if file.kind in PLAIN else file.kind)
    too_long = file.media is not None and len(file.media.model_dump_json()) > MOST_PROPERTY_BYTES
    return "wrong properties" if wrong or too_long else ""
