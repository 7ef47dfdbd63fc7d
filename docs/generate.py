"""Generate the reference pages, the tables of operations and the client's signatures.

They are made from the declarations of settings, operations and models. `python -m docs.generate` (`make docs`) writes them; `--check` (part
of `make check`) reports the stale ones and exits with 1.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from docs.client_signatures import signatures
from reelwright import ROOMS
from shared.models.catalog.table import CATALOG
from shared.models.model import Model
from shared.operation import Input, Operation
from shared.settings import Settings

ROOT = Path(__file__).parent.parent
HEAD = "<!-- Made by docs/generate.py (`make docs`) from the declarations. Change those. -->\n"
TABLE = re.compile(r"(<!-- operations -->\n).*?(<!-- /operations -->)", re.DOTALL)
"""Pattern of a table of operations between its markers. README.md lists all operations, the README of a service its own."""


def pages() -> dict[str, str]:
    """Return the text of every generated file, by path in the repository."""
    operations = [operation for room in ROOMS for operation in room.service.operations]
    texts = {
        "docs/settings.md": settings_page(),
        "docs/operations.md": operations_page(),
        "docs/models.md": models_page(),
        "README.md": with_table("README.md", operations),
        "shared/client/signatures.py": signatures(operations),
    }
    for room in ROOMS:
        readme = f"{room.package.replace('.', '/')}/README.md"
        texts[readme] = with_table(readme, room.service.operations)
    return texts


def stale_pages() -> list[str]:
    """Return the paths of the generated files that are out of date."""
    return [path for path, text in pages().items() if (ROOT / path).read_text() != text]


def with_table(path: str, operations: Iterable[Operation]) -> str:
    """Return the text of a page with an up-to-date table of operations.

    A page without markers keeps its text.
    """
    rows = ["| operation | what it does | inputs → outputs |", "|---|---|---|"]
    rows += [f"| `{operation.name}` | {operation.summary} | {_ports(operation)} |" for operation in operations]
    table = "\n".join(rows) + "\n"
    return TABLE.sub(lambda match: match[1] + table + match[2], (ROOT / path).read_text())


def settings_page() -> str:
    """Return the reference page of all settings, with their defaults."""
    rows = [
        f"| `REELWRIGHT_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(
        [
            HEAD + "# Settings",
            "",
            "Environment variables, checked once at start. Times are in seconds, sizes in bytes.",
            "",
            "| variable | default | what it does |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def operations_page() -> str:
    """Return the reference page of all operations, with their params and results."""
    lines = [HEAD + "# Operations", ""]
    for room in ROOMS:
        for operation in room.service.operations:
            lines += [*_operation(operation), ""]
    return "\n".join(lines)


def models_page() -> str:
    """Return the reference page of all models.

    The text before the page's marker is kept; the catalog follows the marker.
    """
    text, mark, _ = (ROOT / "docs/models.md").read_text().partition("<!-- catalog")
    line = f"{mark}: the rest is made by docs/generate.py (`make docs`) from shared/models/catalog/ -->"
    rows = [_model(model) for model in CATALOG]
    head = ["| model | what it does | files | size | licence | commercial use |", "|---|---|---|---|---|---|"]
    return "\n".join([text + line, "", "## The catalog", "", *head, *rows, ""])


def _ports(operation: Operation) -> str:
    """Return the inputs and outputs as text: `video, matte (optional) → video`."""

    def text(name: str, port: Input) -> str:
        remarks = ["optional"] * (port.optional and name not in operation.needs) + ["one or many"] * port.many
        return f"{name} ({', '.join(remarks)})" if remarks else name

    alternatives = " or ".join(text(name, operation.ports[name]) for name in operation.needs)
    others = [text(name, port) for name, port in operation.ports.items() if name not in operation.needs]
    inputs = ", ".join([alternatives, *others] if alternatives else others)
    return f"{inputs} → {', '.join(operation.outputs) or 'JSON result'}"


def _model(model: Model) -> str:
    files = "<br>".join(f"`{file.path}`" for file in model.files)
    size = f"{model.about_bytes / 1e6:.0f} MB" if model.about_bytes else ""
    name = f"`{model.name}`<br>[{model.title}]({model.source})"
    purpose = f"{model.purpose}. {model.notes}".strip()
    use = ("yes" if model.commercial_use else "**no**") + (", gated" if model.gated else "")
    return f"| {name} | {purpose} | {files} | {size} | {model.licence} | {use} |"


def _operation(operation: Operation) -> Iterator[str]:
    outputs = ", ".join(f"`{name}` ({kind})" for name, kind in operation.outputs.items()) or "none, only the result"
    yield f"## {operation.name}"
    yield ""
    yield f"{operation.summary}. Outputs: {outputs}."
    yield ""
    yield "| input | kind | description |"
    yield "|---|---|---|"
    yield from (_input(name, port) for name, port in operation.ports.items())
    yield ""
    yield from _table("param", operation.params)
    yield ""
    yield from _table("result", operation.result)


def _input(name: str, port: Input) -> str:
    remarks = [" or ".join(port.kinds), *["optional"] * port.optional, *["one or many"] * port.many]
    description = port.description or f"The {name}."
    if port.auto:
        description += f" `auto`: `{port.auto.rpartition('.')[0]}` makes it first."
    if port.auto_if:
        condition = " and ".join(f"`{name}` is `{value}`" for name, value in port.auto_if.items())
        description += f" If none is given and {condition}, that operation runs unasked, if it can."
    return f"| `{name}` | {', '.join(remarks)} | {description} |"


def _table(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"| {title} | type | default | description |"
    yield "|---|---|---|---|"
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        default = _default(field["default"]) if "default" in field else ""
        yield f"| `{name}` | {_type(field)} | {default} | {field.get('description', '')} |"


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(alternative) for alternative in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        if entries := schema.get("prefixItems"):
            return f"list of {len(entries)}: {', '.join(_type(entry) for entry in entries)}"
        return f"list of {_type(schema['items'])}"
    limits = [
        f"{sign} {schema[key]:.10g}" for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤")) if key in schema
    ]
    return " ".join([str(schema.get("type", "any")), ", ".join(limits)]).strip()


def _default(value: Any) -> str:
    if value is None or value == () or value == {} or value == "":
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:.10g}`" if isinstance(value, float) else f"`{value}`"


def main(arguments: list[str]) -> int:
    """Write the files that are out of date; with `--check` only list them."""
    stale = stale_pages()
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path} differs from the declarations: run `make docs`.\n")
        return 1 if stale else 0
    texts = pages()
    for path in stale:
        (ROOT / path).write_text(texts[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
