"""Declaration of the role of a field in an operation's result."""

from pydantic.config import JsonDict

from shared.declarations.vocabulary import ResultRole


def figure(role: ResultRole) -> JsonDict:
    """Return the JSON Schema extras that give a field of a result its role.

    They are the `json_schema_extra` of its Field.
    """
    return {"role": role}
