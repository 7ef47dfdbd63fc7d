"""Conversion of text values to params, for command lines and HTML forms."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from shared.errors import FieldError, Invalid
from shared.operation import Params

P = TypeVar("P", bound=Params)

_ALTERNATIVE = re.compile(r"[a-z-]+\[.*\]|str|int|float|bool|none|constrained-\w+|[A-Z][A-Za-z0-9]+")
"""Parts of pydantic's error paths that name a type, such as `str` in `curve.str`. No field has such a name."""
_LENGTHS = {
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
}
"""Pydantic's error types for lengths -> words, limit name and unit."""
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}
"""Pydantic's error types for bounds -> words and limit name."""
_KINDS = {
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "finite_number": "a finite number",
    **dict.fromkeys(("string_type", "string_unicode"), "text"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "dataclass_type"), "an object"),
    **dict.fromkeys(("path_type",), "a path"),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"), "a date with a time"),
    "none_required": "null",
}
"""Pydantic's error types -> the expected kind of value in words."""
MAX_ERRORS = 100
"""Maximum number of errors that an answer lists; the rest are only counted."""


def params_from_text(model: type[P], texts: Mapping[str, str]) -> P:
    """Build params from text values.

    Empty text is the default; lists and objects are JSON; a fixed word such as "beats" stands for itself. Raises Invalid, naming each
    field.
    """
    properties = model.model_json_schema()["properties"]
    values = {name: _value(name, text, properties.get(name, {})) for name, text in texts.items() if text != ""}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error.errors()) from None


def invalid(errors: Sequence[Any]) -> Invalid:
    """Convert pydantic's errors to one Invalid that names each field and its value."""
    errors = [error for error in errors if not _counts_wrong_items(error, errors)]
    listed = errors[:MAX_ERRORS]
    fields = _merged([FieldError(field=_path(error), detail=detail_of(error)) for error in listed])
    sentences = [f"{field.field or 'body'}: {field.detail}" for field in fields]
    more = [f"and {len(errors) - len(listed)} more"] if len(errors) > len(listed) else []
    return Invalid("; ".join(sentences + more), errors=fields)


def _counts_wrong_items(error: dict[str, Any], errors: Sequence[Any]) -> bool:
    """Return whether `error` calls a list too short because its items are invalid.

    Pydantic leaves out invalid items when it counts. `errors`: all errors of the params.
    """
    place = tuple(error["loc"])
    return error["type"] == "too_short" and any(tuple(other["loc"][:-1])[: len(place)] == place for other in errors)


def _path(error: dict[str, Any]) -> str:
    """Return the field path of a validation error.

    pydantic's names of alternatives ("literal['beats']", "str") are left out.
    """
    loc = [str(part) for part in error["loc"] if part != "body"]
    last = loc[-1:] if error["type"] == "extra_forbidden" else []  # a name that the client made up
    return ".".join([*(part for part in loc[: len(loc) - len(last)] if not _ALTERNATIVE.fullmatch(part)), *last])


def _merged(fields: list[FieldError]) -> list[FieldError]:
    """Merge the errors of each field into one error."""
    details: dict[str, list[str]] = {}
    for field in fields:
        if field.detail not in (texts := details.setdefault(field.field, [])):
            texts.append(field.detail)
    return [FieldError(field=field, detail="; or ".join(sentences)) for field, sentences in details.items()]


def detail_of(error: Mapping[str, Any]) -> str:
    """Describe what is wrong with a value, from pydantic's error."""
    if error["type"] == "extra_forbidden":
        return "unknown field"
    if error["type"] in _LENGTHS:
        words, limit, unit = _LENGTHS[error["type"]]
        count, value = error["ctx"][limit], error.get("input")
        actual = error["ctx"].get("actual_length", len(value) if isinstance(value, str) else None)
        return f"must have {words} {count} {unit}{'' if count == 1 else 's'}" + (f", not {actual}" if actual is not None else "")
    message = _requirement(error) or str(error["msg"]).removeprefix("Value error, ")
    value = error.get("input")
    plain = isinstance(value, str | int | float | bool) and error["type"] not in ("missing", "value_error", "json_invalid")
    shown = str(value)[:80]
    return f"{message}, not {repr(shown) if isinstance(value, str) else shown}" if plain else message


def _requirement(error: Mapping[str, Any]) -> str | None:
    """Return the requirement that a value fails, such as "must be at least 1".

    None for an error whose own text says it.
    """
    if error["type"] in _BOUNDS:
        words, limit = _BOUNDS[error["type"]]
        return f"must be {words} {error['ctx'][limit]:.15g}"
    if error["type"] in ("literal_error", "enum"):
        return f"must be {error['ctx']['expected']}"
    if error["type"] == "multiple_of":
        return f"must be a multiple of {error['ctx']['multiple_of']:.15g}"
    if error["type"] == "string_pattern_mismatch":
        return f"must match {error['ctx']['pattern']}"
    if error["type"] == "json_invalid":
        return f"must be JSON: {error['ctx']['error']}"
    if error["type"] == "missing":
        return "is required"
    return f"must be {_KINDS[error['type']]}" if error["type"] in _KINDS else None


def _value(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    options = (schema, *schema.get("anyOf", ()))
    if not {option.get("type") for option in options} & {"array", "object"} or any(option.get("const") == text for option in options):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        detail = f"must be JSON: {error}"
        raise Invalid.field(name, detail, f"{name}: {detail}") from None
