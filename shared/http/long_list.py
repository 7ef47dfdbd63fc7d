"""List parameters whose length is checked before their items."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema


@dataclass(frozen=True)
class LongList:
    """An annotation for lists of 1 to `max_items` items.

    `Annotated[list[CurvePoint], LongList(100_000)]`. The length is checked before any item, and validation stops at the first wrong item: a
    hundred thousand errors help nobody.
    """

    max_items: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        items = dict(handler(source)) | {"min_length": 1, "max_length": self.max_items, "fail_fast": True}
        return core_schema.no_info_before_validator_function(self._check, items)

    def _check(self, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > self.max_items:
            lengths = {"field_type": "List", "max_length": self.max_items, "actual_length": len(value)}
            raise PydanticKnownError("too_long", lengths)
        return value
