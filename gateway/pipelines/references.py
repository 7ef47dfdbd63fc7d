"""References from a step's params to the result of an earlier step.

A reference is written `{"from": "<step>.<field>"}`. The value is not known yet when a pipeline is checked. The check looks the field up in
the schema of the earlier step's result, and validates the params with a stand-in value that their schema allows.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import Invalid
from shared.jobs.record import InputValue, UrlInput

Schema = dict[str, Any]
REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]{0,63})\.([A-Za-z0-9_]{1,64}(?:\.[A-Za-z0-9_]{1,64}){0,15})")
OUTPUT_REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]*)\.([a-z_]+)")
"""An input from an earlier step: step id and output name."""
DEEPEST = 12  # nesting depth up to which schemas are followed: a schema may contain itself


def map_ids(ids: InputValue, change: Callable[[str], str]) -> InputValue:
    """Return the input `ids` with `change` applied to each media id; URLs stay."""
    if isinstance(ids, list):
        return [change(media_id) if isinstance(media_id, str) else media_id for media_id in ids]
    return change(ids) if isinstance(ids, str) else ids


def as_json(inputs: Mapping[str, InputValue]) -> dict[str, Any]:
    """Convert inputs to JSON values."""

    def plain(item: Any) -> Any:
        return item.model_dump() if isinstance(item, UrlInput) else item

    return {name: [plain(item) for item in source] if isinstance(source, list) else plain(source) for name, source in inputs.items()}


def ids_in(source: InputValue) -> list[str]:
    """Return the media ids of an input, without its URLs.

    References and placeholders, which stand in the place of ids, are included.
    """
    return [item for item in (source if isinstance(source, list) else [source]) if isinstance(item, str)]


def references(params: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """Parse the references among `params`, by param name.

    A reference becomes (step id, path in its result). Raises Invalid for a malformed reference.
    """
    references_by_name = {}
    for name, value in params.items():
        if not (isinstance(value, dict) and value.keys() == {"from"}):
            continue
        match = REFERENCE.fullmatch(value["from"]) if isinstance(value["from"], str) else None
        if match is None:
            raise _refused(name, f'{value!r} is not a reference: write {{"from": "<step>.<field of its result>"}}')
        references_by_name[name] = (match[1], match[2].split("."))
    return references_by_name


def check_reference(name: str, path: list[str], step: str, result: Schema, param: Schema, root: Schema) -> None:
    """Raise Invalid if the param `name` cannot take the value that its reference names.

    The schema `result` must have a field at `path` whose values the schema `param` allows. `step`: id of the step that the
    reference names. `root`: schema of all params.
    """
    field, schema = result, _plain(result, result)
    for place, part in enumerate(path):
        if schema.get("type") == "array" and part.isdecimal():
            items = schema.get("prefixItems", ())
            inner = items[int(part)] if int(part) < len(items) else schema.get("items")
        else:
            inner = schema.get("properties", {}).get(part, schema.get("additionalProperties"))
        if not isinstance(inner, dict):
            detail = f"the result of step {step!r} has no field {'.'.join(path)!r}; {_fields_of('.'.join(path[:place]), schema)}"
            raise _refused(name, detail)
        field, schema = inner, _plain(inner, result)
    result_types, param_types = _types(field, result), _types(param, root)
    fits = any(
        kind in param_types or any(kind.replace("integer", "number") == param_type for param_type in param_types) for kind in result_types
    )
    if result_types and param_types and not fits:
        texts = " or ".join(sorted(result_types)), " or ".join(sorted(param_types))
        raise _refused(name, f"{'.'.join(path)} of step {step!r} is {texts[0]}; this param takes {texts[1]}")
    if lacking := _lacking_fields(field, result, param, root):
        raise _refused(name, f"{'.'.join(path)} of step {step!r} has no {', '.join(lacking)}, which this param needs")


def _fields_of(path: str, schema: Schema) -> str:
    """Describe, in a clause, the fields of the value at `path` in a result.

    `path`: empty for the whole result.
    """
    value = repr(path) if path else "it"
    if names := sorted(schema.get("properties", {})):
        return f"{value} has the fields {', '.join(names)}"
    return f"{value} is a list with the items 0, 1 and so on" if schema.get("type") == "array" else f"{value} has no fields"


def _types(schema: Schema, root: Schema, depth: int = 0) -> set[str]:
    """Return the JSON types that a schema allows.

    Examples: `number`, `array of object`. Null is left out. The set is empty if the schema states no type.
    """
    if depth > DEEPEST:
        return set()
    if "$ref" in schema:
        return _types(root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {}), root, depth + 1)
    if alternatives := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        type_sets = [_types(alternative, root, depth + 1) for alternative in alternatives if alternative.get("type") != "null"]
        return set().union(*type_sets) if all(type_sets) else set()
    name = schema.get("type")
    if name == "array":
        inner = schema.get("prefixItems") or [schema.get("items", {})]
        items = [_types(item, root, depth + 1) for item in inner]
        return {f"array of {item}" for item in set().union(*items)} if all(items) else set()
    return {name} if isinstance(name, str) else set()


def _lacking_fields(made: Schema, result: Schema, param: Schema, root: Schema, depth: int = 0) -> list[str]:
    """Return the fields that the schema `param` requires and the schema `made` lacks.

    `param`: a param. `made`: a value in a result. Both may be arrays of objects. `result`, `root`: the schemas that `made` and `param`
    are parts of. Of several alternatives, the one that lacks least counts.
    """
    shortest: list[str] | None = None
    for need in _alternatives(param, root):
        for offer in _alternatives(made, result):
            lacking: list[str] = []
            if offer.get("type") != need.get("type"):
                continue
            if offer.get("type") == "array" and "items" in offer and "items" in need and depth < DEEPEST:
                lacking = _lacking_fields(offer["items"], result, need["items"], root, depth + 1)
            elif offer.get("type") == "object" and "properties" in offer and not offer.get("additionalProperties"):
                lacking = [name for name in need.get("required", ()) if name not in offer["properties"]]
            if shortest is None or len(lacking) < len(shortest):
                shortest = lacking
    return shortest or []


def _alternatives(schema: Schema, root: Schema, depth: int = 0) -> list[Schema]:
    """Return the alternatives of a schema, with `$ref` resolved."""
    if depth > DEEPEST:
        return []
    if "$ref" in schema:
        return _alternatives(root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {}), root, depth + 1)
    if alternatives := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return [plain for alternative in alternatives for plain in _alternatives(alternative, root, depth + 1)]
    return [schema]


def stand_in(schema: Schema, root: Schema) -> Any:
    """Return a schema's default, or else its smallest valid value.

    The default is preferred because it fits the defaults of the other params.
    """
    default = schema.get("default")
    return least(schema, root) if default is None else default


def least(schema: Schema, root: Schema, depth: int = 0) -> Any:
    """Return the smallest valid value for a JSON Schema of pydantic.

    None if no value can be derived.
    """
    schema = _plain(schema, root)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", [])), None))
    if depth > DEEPEST:
        return None
    match schema.get("type"):
        case "array":
            items = schema.get("prefixItems") or [schema.get("items", {})] * int(schema.get("minItems", 0))
            return [least(item, root, depth + 1) for item in items]
        case "object":
            inner = schema.get("properties", {})
            return {name: least(inner.get(name, {}), root, depth + 1) for name in schema.get("required", [])}
        case "number" | "integer":
            return _least_number(schema)
        case "string":
            # No value can be derived from a pattern; null is valid for an optional param.
            return None if "pattern" in schema else "x" * int(schema.get("minLength", 0))
        case "boolean":
            return False
    return None


def _least_number(schema: Schema) -> float:
    minimum, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    maximum = schema.get("maximum", schema.get("exclusiveMaximum"))
    if minimum is not None:
        return float(minimum)
    if above is None:
        return 0.0 if maximum is None else min(0.0, maximum - 1.0)
    return float(above + 1) if schema["type"] == "integer" or maximum is None or above + 1 < maximum else float(above + maximum) / 2


def value_at(result: Any, path: list[str], step: str) -> Any:
    """Return the value at `path` in a step's result.

    Raises Invalid if the result has no such field.
    """
    value = result
    for part in path:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Invalid(f"The result of step {step!r} has no value at {'.'.join(path)!r}.") from None
    return value


def _plain(schema: Schema, root: Schema) -> Schema:
    """Resolve `$ref`, and return the first alternative that is not null."""
    for _ in range(DEEPEST):
        if "$ref" in schema:
            schema = root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {})
        elif alternatives := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            schema = next((alternative for alternative in alternatives if alternative.get("type") != "null"), {})
        else:
            break
    return schema


def _refused(name: str, detail: str) -> Invalid:
    return Invalid.field(f"params.{name}", detail)
