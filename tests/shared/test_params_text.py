"""Conversion of text to params, and errors about invalid params."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from shared.errors import Invalid
from shared.http.long_list import LongList
from shared.http.params_text import invalid, params_from_text
from shared.operation import Kind, Params


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
        ('["c"]', "names.0: must be 'a' or 'b', not 'c'"),
    ],
)
def test_an_error_about_a_list_counts_the_given_items(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as raised:
        params_from_text(Listed, {"names": text})
    assert raised.value.detail == sentence


class Point(Params):
    x: float
    y: float


class Bounded(Params):
    share: float = Field(0.5, ge=0, lt=1)
    length: float = Field(1.0, gt=0, le=1e7)
    count: int = 1
    even: bool = False
    colour: str = Field("#000000", pattern=r"^#[0-9a-f]{6}$", max_length=7)
    rate: int = Field(2, multiple_of=2)
    kind: Kind = Kind.VIDEO
    point: Point | None = None


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"share": -0.5}, "share: must be at least 0, not -0.5"),
        ({"share": 1}, "share: must be less than 1, not 1"),
        ({"length": 0}, "length: must be more than 0, not 0"),
        ({"length": 10_000_001}, "length: must be at most 10000000, not 10000001"),
        ({"length": "long"}, "length: must be a number, not 'long'"),
        ({"count": 1.5}, "count: must be a whole number, not 1.5"),
        ({"even": "perhaps"}, "even: must be true or false, not 'perhaps'"),
        ({"colour": "red"}, "colour: must match ^#[0-9a-f]{6}$, not 'red'"),
        ({"colour": "#0000000"}, "colour: must have at most 7 characters, not 8"),
        ({"rate": 3}, "rate: must be a multiple of 2, not 3"),
        ({"kind": "film"}, "kind: must be 'video', 'image', 'images', 'json', 'html' or 'archive', not 'film'"),
        ({"point": 3}, "point: must be an object, not 3"),
        ({"point": {"x": 3}}, "point.y: is required"),
        ("text", "body: must be an object, not 'text'"),
    ],
)
def test_an_error_says_what_the_value_must_be(params: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Bounded.model_validate(params)
    assert invalid(raised.value.errors()).detail == sentence
