"""Conversion of text to params, and errors about invalid params."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from shared.errors import Invalid
from shared.http.long_list import LongList
from shared.http.params_text import params_from_text
from shared.operation import Params


class Given(Params):
    times: Annotated[list[Annotated[float, Field(ge=0)]], LongList(10)] | Literal["beats"] | None = None
    strength: float = Field(1.0, le=2)


@pytest.mark.parametrize(("text", "value"), [("beats", "beats"), ("[1, 2.5]", [1, 2.5]), ("null", None), ("", None)])
def test_a_word_may_stand_for_a_list(text: str, value: object) -> None:
    assert params_from_text(Given, {"times": text}).times == value


@pytest.mark.parametrize(("text", "field"), [('"beat"', "times"), ("[-1]", "times.0"), ("beat", "times"), ("7", "times")])
def test_an_error_names_the_field_of_a_wrong_value(text: str, field: str) -> None:
    with pytest.raises(Invalid) as raised:
        params_from_text(Given, {"times": text, "strength": "2"})
    named = [error.field for error in raised.value.errors]
    assert field in named
    assert set(named) <= {field, "times"}


def test_an_error_quotes_an_unknown_field_as_given() -> None:
    with pytest.raises(Invalid, match=r"list\[x\]: unknown field"):
        params_from_text(Given, {"list[x]": "1"})


class Listed(Params):
    names: tuple[Literal["a", "b"], ...] = Field(("a",), min_length=1, max_length=2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "names: must have at least 1 item, not 0"),
        ('["a", "b", "a"]', "names: must have at most 2 items, not 3"),
        ('["c"]', "names.0: Input should be 'a' or 'b', not 'c'"),
    ],
)
def test_an_error_about_a_list_counts_the_given_items(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as raised:
        params_from_text(Listed, {"names": text})
    assert raised.value.detail == sentence
