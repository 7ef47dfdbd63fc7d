"""Lists that may be long, as parameters: one that is too long costs its length, not the work of looking at its items."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class LongList:
    """Annotation of a list with 1 to `most` items: `Annotated[list[CurvePoint], LongList(100_000)]`.

    It is refused by its length before any item is looked at, and at its first wrong item: a hundred thousand errors help nobody.
    """

    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        items = dict(handler(source)) | {"min_length": 1, "max_length": self.most, "fail_fast": True}
        return core_schema.no_info_before_validator_function(self._check, items)

    def _check(self, given: Any) -> Any:
        if isinstance(given, list | tuple) and len(given) > self.most:
            raise PydanticCustomError("too_long", "{given} items; at most {most} are taken", {"given": len(given), "most": self.most})
        return given
