"""The declaration of a field of a result."""

from pydantic.config import JsonDict

from shared.declarations.vocabulary import ResultRole


def figure(role: ResultRole) -> JsonDict:
    """Return the JSON Schema extras of a result's field that has a role.

    They are the `json_schema_extra` of its Field.
    """
    return {"role": role}
