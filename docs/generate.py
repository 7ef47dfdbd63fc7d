"""Writes the reference pages from the declarations: `make docs`. A test checks that they are up to date."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from reelwright import ROOMS
from shared.models.catalog import CATALOG, Model
from shared.operation import Operation
from shared.settings import Settings

FOLDER = Path(__file__).parent
HEAD = "<!-- Made by docs/generate.py (`make docs`) from the declarations. Change those. -->\n"


def pages() -> dict[str, str]:
    """File name -> text of every reference page."""
    return {"settings.md": settings_page(), "operations.md": operations_page(), "models.md": models_page()}


def settings_page() -> str:
    """The settings, their defaults and what they are for."""
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
            "| variable | default | what it is for |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def operations_page() -> str:
    """Every operation with its params and its result."""
    lines = [HEAD + "# Operations", ""]
    for room in ROOMS:
        for operation in room.service.operations:
            lines += [*_operation(operation), ""]
    return "\n".join(lines)


def models_page() -> str:
    """The page on models: its text as it is, and the catalog after the mark."""
    text, mark, _ = (FOLDER / "models.md").read_text().partition("<!-- catalog")
    line = f"{mark}: the rest is made by docs/generate.py (`make docs`) from shared/models/catalog.py -->"
    rows = [_model(model) for model in CATALOG]
    head = ["| model | what it does | files | size | licence | commercial use |", "|---|---|---|---|---|---|"]
    return "\n".join([text + line, "", "## The catalog", "", *head, *rows, ""])


def _model(model: Model) -> str:
    files = "<br>".join(f"`{file.path}`" for file in model.files)
    size = f"{model.about_bytes / 1e6:.0f} MB" if model.about_bytes else ""
    name = f"`{model.name}`<br>[{model.title}]({model.source})"
    what = f"{model.purpose}. {model.notes}".strip()
    use = ("yes" if model.commercial_use else "**no**") + (", gated" if model.gated else "")
    return f"| {name} | {what} | {files} | {size} | {model.licence} | {use} |"


def _operation(operation: Operation) -> Iterator[str]:
    inputs = ", ".join(
        f"`{name}` ({' or '.join(port.kinds)}{', optional' if port.optional else ''}{', one or many' if port.many else ''})"
        for name, port in operation.ports.items()
    )
    outputs = ", ".join(f"`{name}` ({kind})" for name, kind in operation.outputs.items()) or "none, only the result"
    yield f"## {operation.name}"
    yield ""
    yield f"{operation.summary}. Inputs: {inputs}. Outputs: {outputs}."
    yield ""
    yield from _table("param", operation.params)
    yield ""
    yield from _table("result", operation.result)


def _table(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"| {title} | type | default | what it is |"
    yield "|---|---|---|---|"
    schema = model.model_json_schema()
    for name, field in schema["properties"].items():
        default = _default(field["default"]) if "default" in field else ""
        yield f"| `{name}` | {_type(field)} | {default} | {field.get('description', '')} |"


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    limits = [f"{sign} {schema[key]:g}" for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤")) if key in schema]
    return " ".join([str(schema.get("type", "any")), ", ".join(limits)]).strip()


def _default(value: Any) -> str:
    if value is None or value == () or value == {} or value == "":
        return "empty"
    return f"`{value}`"


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
