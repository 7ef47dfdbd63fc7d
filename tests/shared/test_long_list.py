"""Long lists in params, whose limits are checked before their items."""

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from shared.http.long_list import LongList
from shared.operation import Params


class Looked:
    """Annotation that counts how often list items are validated."""

    def __init__(self) -> None:
        self.times = 0

    def __get_pydantic_core_schema__(self, source, handler):
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self.look, handler(source))

    def look(self, value):
        self.times += 1
        return value


LOOKED = Looked()


class Several(Params):
    """Params with a long list."""

    items: Annotated[list[Annotated[int, LOOKED, Field(ge=0)]], LongList(1000)] | None = Field(None, description="Items.")


@pytest.fixture
def lookups():
    LOOKED.times = 0
    return LOOKED


def test_the_length_is_checked_before_the_items(lookups):
    with pytest.raises(ValidationError) as caught:
        Several(items=[-1] * 1_000_000)
    assert [(error["loc"], error["type"], error["ctx"]["actual_length"]) for error in caught.value.errors()] == [
        (("items",), "too_long", 1_000_000)
    ]
    assert lookups.times == 0


def test_checking_stops_at_the_first_wrong_item(lookups):
    with pytest.raises(ValidationError) as caught:
        Several(items=[1] * 10 + [-1] * 900)
    assert [error["loc"] for error in caught.value.errors()] == [("items", 10)]
    assert lookups.times == 11


def test_a_valid_list_is_accepted():
    assert Several(items=list(range(1000))).items == list(range(1000))
    assert Several(items=None).items is None
    assert Several().items is None
    with pytest.raises(ValidationError, match="at least 1"):
        Several(items=[])


def test_the_schema_states_the_limits():
    schema = Several.model_json_schema()["properties"]["items"]["anyOf"][0]
    assert (schema["type"], schema["minItems"], schema["maxItems"]) == ("array", 1, 1000)
