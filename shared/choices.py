"""Parameters that choose a row of a table: the table's names are the values, its descriptions the documentation."""

from collections.abc import Iterable
from typing import Any, Protocol

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Choice(Protocol):
    """A row of a table of choices."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...


class OneOf:
    """Annotation of a parameter whose value is a name of a table: `Annotated[str, OneOf(TABLE)]`.

    Validates and documents like a `Literal` of these names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(self._names)


def described(rows: Iterable[Choice]) -> str:
    """Return "`name` description" of all rows, as part of a sentence."""
    return "; ".join(f"`{row.name}` {row.description}" for row in rows)
