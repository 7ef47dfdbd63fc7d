"""Choice of a timeline's frame rate."""

from fractions import Fraction

import pytest

from shared.editing.rates import constant_rate


@pytest.mark.parametrize(
    ("rate", "varies", "expected"),
    [
        ("24000/1001", False, "24000/1001"),
        ("25/2", False, "25/2"),
        ("1000/1", False, "240"),
        ("0/1", False, "25"),
        ("29/1", True, "30000/1001"),
        ("2975/100", True, "30000/1001"),
        ("5994/100", True, "60000/1001"),
        ("7/1", True, "24000/1001"),
        ("1000/1", True, "240"),
    ],
)
def test_the_rate_is_constant_and_exact(rate: str, varies: bool, expected: str) -> None:
    assert constant_rate(Fraction(rate), varies=varies) == Fraction(expected)
