"""Parameters whose values are names of rows in a table."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ValidationError

from shared.choices import OneOf, described


@dataclass(frozen=True)
class Row:
    name: str
    description: str


TABLE = {row.name: row for row in (Row("a", "does this"), Row("b", "does that"))}


class Chosen(BaseModel):
    way: Annotated[str, OneOf(TABLE)] = "a"


class Written(BaseModel):
    way: Literal["a", "b"] = "a"


def test_a_choice_has_the_schema_of_a_literal() -> None:
    assert Chosen.model_json_schema()["properties"] == Written.model_json_schema()["properties"]


def test_other_values_are_refused_with_the_names() -> None:
    assert Chosen(way="b").way == "b"
    with pytest.raises(ValidationError, match="'a' or 'b'"):
        Chosen(way="c")


def test_descriptions_become_part_of_a_sentence() -> None:
    assert described(TABLE.values()) == "`a` does this; `b` does that"
