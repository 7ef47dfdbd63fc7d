"""Parameters from text: all that a command line or an HTML form can send."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from shared.errors import Invalid
from shared.operation import Params

P = TypeVar("P", bound=Params)

_ALTERNATIVE = re.compile(r"[a-z-]+\[.*\]")
MAX_ERRORS = 100
"""A list of a hundred thousand wrong items is answered with the first ones."""


def params_from_text(model: type[P], given: Mapping[str, str]) -> P:
    """Build params; an empty text means the default, lists and objects are written as JSON, a word that stands for one as it is.

    Raises Invalid, naming each field.
    """
    properties = model.model_json_schema()["properties"]
    values = {name: _value(name, text, properties.get(name, {})) for name, text in given.items() if text != ""}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error.errors()) from None


def invalid(found: Sequence[Any]) -> Invalid:
    """Pydantic's findings as one 422: each field by its path, with what was given and what is asked for."""
    told = found[:MAX_ERRORS]
    fields = [{"field": _path(one), "detail": _sentence(one)} for one in told]
    sentences = [f"{one['field'] or 'body'}: {one['detail']}" for one in fields]
    more = [f"and {len(found) - len(told)} more"] if len(found) > len(told) else []
    return Invalid("; ".join(sentences + more), errors=fields)


def _path(one: dict[str, Any]) -> str:
    """The field as a user knows it: without pydantic's names for the alternatives of a value, such as "literal['beats']"."""
    named = one["type"] == "extra_forbidden"
    return ".".join(str(part) for part in one["loc"] if part != "body" and (named or not _ALTERNATIVE.fullmatch(str(part))))


def _sentence(one: dict[str, Any]) -> str:
    if one["type"] == "extra_forbidden":
        return "there is no such field"
    message = str(one["msg"]).removeprefix("Value error, ")
    given = one.get("input")
    plain = isinstance(given, str | int | float | bool) and one["type"] not in ("missing", "value_error", "json_invalid")
    return f"{message}, not {str(given)[:80]!r}" if plain else message


def _value(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    options = (schema, *schema.get("anyOf", ()))
    if not {one.get("type") for one in options} & {"array", "object"} or any(one.get("const") == text for one in options):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        detail = f"JSON is asked for: {error}"
        raise Invalid(f"{name}: {detail}", errors=[{"field": name, "detail": detail}]) from None
