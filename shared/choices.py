"""Parameters whose allowed values are the names in a table.

The descriptions of the table's rows document the parameter.
"""

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
    """An annotation that limits a parameter to the names in a table.

    `Annotated[str, OneOf(TABLE)]` validates and documents like a `Literal` of these names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(self._names)


def described(rows: Iterable[Choice], *, colon: bool = False) -> str:
    """Return one sentence that describes all rows of a table.

    `colon`: put a colon after each name.
    """
    return "; ".join(f"`{row.name}`{':' if colon else ''} {row.description}" for row in rows)
