"""Write the signatures of the Python client from the declarations of the operations."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.operation import Input, Operation

HEAD = '''# Made by docs/generate.py (`make docs`) from the declarations. Change those.
# fmt: off
# ruff: noqa: E501
"""Type signatures of the client's `run` and `submit`, one per operation.

Type checkers read them; a program never imports them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, Protocol, TypedDict, TypeVar, overload

from shared.client.arguments import File, OnProgress, OperationName

R_co = TypeVar("R_co", covariant=True)
'''

RUN = ("on_progress: OnProgress | None = None",)
SUBMIT = ("idempotency_key: str | None = None", "options: Mapping[str, Any] | None = None")
METHODS = {
    "RunMethod": ("The method `run`: starts an operation and waits for its end.", RUN + SUBMIT),
    "SubmitMethod": ("The method `submit`: starts an operation and returns its job.", SUBMIT),
}
"""Protocol -> docstring, and keyword arguments besides those of the operation."""

PLAIN = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "null": "None", "object": "Mapping[str, Any]"}
"""JSON type -> Python type."""


def signatures(operations: Iterable[Operation]) -> str:
    """Return the source text of the module of signatures."""
    listed = list(operations)
    lines = [HEAD.rstrip("\n")]
    for name, fields in _records(listed).items():
        lines += ["", "", f"class {name}(TypedDict):", *(f"    {field}" for field in fields)]
    for name, (summary, keywords) in METHODS.items():
        lines += ["", "", f"class {name}(Protocol[R_co]):", f'    """{summary}"""']
        for operation in listed:
            lines += ["", *_overload(operation, keywords)]
        unknown = ["operation: OperationName", "/", "*", *keywords, "**values: Any"]
        lines += ["", "    @overload", f"    def __call__(self, {', '.join(unknown)}) -> R_co:"]
        lines += ['        """Call an operation that this version of the client does not know."""']
    return "\n".join([*lines, ""])


def _overload(operation: Operation, keywords: Iterable[str]) -> Iterator[str]:
    yield "    @overload"
    yield "    def __call__("
    arguments = [*_inputs(operation), *_fields(operation)]
    for argument in ["self", f'operation: Literal["{operation.name}"]', "/", "*", *arguments, *keywords]:
        yield f"        {argument},"
    yield "    ) -> R_co:"
    yield f'        """{operation.summary}."""'


def _inputs(operation: Operation) -> Iterator[str]:
    def text(name: str, port: Input) -> str:
        files = "File | Sequence[File]" if port.many else "File"
        return f"{name}: {files} | None = None" if port.optional else f"{name}: {files}"

    return (text(name, port) for name, port in operation.ports.items())


def _fields(operation: Operation) -> Iterator[str]:
    """Yield the params as source text: keyword arguments with types and defaults."""
    for name, schema in operation.params.model_json_schema()["properties"].items():
        default = f" = {_literal(schema['default'])}" if "default" in schema else ""
        yield f"{name}: {_type(operation, schema)}{default}"


def _records(operations: Iterable[Operation]) -> dict[str, list[str]]:
    """Return the source lines of nested param objects' fields, by class name.

    Raises ValueError if two objects of a service share a name.
    """
    records: dict[str, list[str]] = {}
    for operation in operations:
        for name, schema in operation.params.model_json_schema().get("$defs", {}).items():
            required = schema.get("required", ())
            fields = [_entry(operation, field, value, required) for field, value in schema["properties"].items()]
            if records.setdefault(_record(operation, name), fields) != fields:
                raise ValueError(f"{operation.name}: another operation has a different {name}.")
    return dict(sorted(records.items()))


def _record(operation: Operation, name: str) -> str:
    """Return the class name of a param object: its service's name, then `name`.

    Services choose the names of param objects independently.
    """
    return f"{operation.service.title().replace('-', '')}{name}"


def _entry(operation: Operation, name: str, schema: Mapping[str, Any], required: Iterable[str]) -> str:
    kind = _type(operation, schema, quoted=True)
    return f"{name}: {kind}" if name in required else f"{name}: NotRequired[{kind}]"


def _type(operation: Operation, schema: Mapping[str, Any], *, quoted: bool = False) -> str:
    """Return the Python type of the values that a JSON Schema accepts.

    `quoted`: write the names of objects as strings, which are resolved later.
    """
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(_literal(value) for value in schema.get('enum', [schema.get('const')]))}]"
    if "anyOf" in schema:
        return " | ".join(_type(operation, alternative, quoted=quoted) for alternative in schema["anyOf"])
    if "$ref" in schema:
        name = _record(operation, schema["$ref"].rpartition("/")[2])
        return f'"{name}"' if quoted else name
    if schema.get("type") != "array":
        return PLAIN.get(schema.get("type", ""), "Any")
    if entries := schema.get("prefixItems"):
        return f"tuple[{', '.join(_type(operation, entry, quoted=quoted) for entry in entries)}] | list[float]"
    item = _type(operation, schema["items"], quoted=quoted)
    # A `str` is a Sequence[str], but no list of names.
    return "list[str] | tuple[str, ...]" if item == "str" else f"Sequence[{item}]"


def _literal(value: Any) -> str:
    """Return a default as Python source, with tuples in place of lists."""
    if isinstance(value, list):
        return f"({', '.join(_literal(item) for item in value)}{',' * (len(value) == 1)})"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
