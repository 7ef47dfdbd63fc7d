"""Params of a pipeline's step that are taken from the result of an earlier one: `{"from": "<step>.<field>"}`.

What a field will hold is not known when a pipeline is checked. That it will be there is read from the schema of the result, and the
rest of the params is checked with a value in its place that is sure to be allowed.
"""

import re
from typing import Any

from shared.errors import Invalid

Schema = dict[str, Any]
REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]{0,63})\.([A-Za-z0-9_]{1,64}(?:\.[A-Za-z0-9_]{1,64}){0,15})")
DEEPEST = 12


def references(params: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """The params that are references: name -> step and path within its result. Raises Invalid for one that cannot be read."""
    found = {}
    for name, value in params.items():
        if not (isinstance(value, dict) and value.keys() == {"from"}):
            continue
        match = REFERENCE.fullmatch(value["from"]) if isinstance(value["from"], str) else None
        if match is None:
            raise _refused(name, f'{value!r} is no reference: write {{"from": "<step>.<field of its result>"}}')
        found[name] = (match[1], match[2].split("."))
    return found


def check_promised(name: str, path: list[str], step: str, result: Schema) -> None:
    """Raise Invalid unless a result of this schema has something at `path`. `name`: of the param that refers to it."""
    here = _plain(result, result)
    for part in path:
        if here.get("type") == "array" and part.isdecimal():
            each = here.get("prefixItems", ())
            inner = each[int(part)] if int(part) < len(each) else here.get("items")
        else:
            inner = here.get("properties", {}).get(part, here.get("additionalProperties"))
        if not isinstance(inner, dict):
            known = sorted(here.get("properties", {})) or (["0", "1", "..."] if here.get("type") == "array" else [])
            has = f"there are {', '.join(known)}" if known else "nothing is in it"
            raise _refused(name, f"the result of step {step!r} has no {'.'.join(path)!r}: at {part!r}, {has}")
        here = _plain(inner, result)


def stand_in(schema: Schema, root: Schema) -> Any:
    """A value that is allowed: the default, which fits the defaults of the others too, or the least there is."""
    default = schema.get("default")
    return least(schema, root) if default is None else default


def least(schema: Schema, root: Schema, depth: int = 0) -> Any:
    """The least value that a JSON Schema, as pydantic writes it, allows."""
    schema = _plain(schema, root)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", [])), None))
    if depth > DEEPEST:
        return None
    match schema.get("type"):
        case "array":
            each = schema.get("prefixItems") or [schema.get("items", {})] * int(schema.get("minItems", 0))
            return [least(one, root, depth + 1) for one in each]
        case "object":
            inner = schema.get("properties", {})
            return {name: least(inner.get(name, {}), root, depth + 1) for name in schema.get("required", [])}
        case "number" | "integer":
            return _least_number(schema)
        case "string":
            # What a pattern takes cannot be told from it; null is taken where the param may be left out.
            return None if "pattern" in schema else "x" * int(schema.get("minLength", 0))
        case "boolean":
            return False
    return None


def _least_number(schema: Schema) -> float:
    least_of_all, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least_of_all is not None:
        return float(least_of_all)
    if above is None:
        return 0.0 if most is None else min(0.0, most - 1.0)
    return float(above + 1) if schema["type"] == "integer" or most is None or above + 1 < most else float(above + most) / 2


def taken(result: Any, path: list[str], step: str) -> Any:
    """What is at `path` in the result of a step. Raises Invalid where there is nothing."""
    here = result
    for part in path:
        try:
            here = here[int(part)] if isinstance(here, list) else here[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Invalid(f"The result of step {step!r} has nothing at {'.'.join(path)!r}.") from None
    return here


def _plain(schema: Schema, root: Schema) -> Schema:
    """A schema without references, and of several the first that is not null."""
    for _ in range(DEEPEST):
        if "$ref" in schema:
            schema = root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {})
        elif several := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            schema = next((one for one in several if one.get("type") != "null"), {})
        else:
            break
    return schema


def _refused(name: str, detail: str) -> Invalid:
    return Invalid(f"params.{name}: {detail}.", errors=[{"field": f"params.{name}", "detail": detail}])
