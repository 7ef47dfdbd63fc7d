"""Times in seconds as exact fractions."""

from fractions import Fraction

Seconds = Fraction | float | int
LONGER_S = Fraction(1, 4)
"""Seconds from which on sound counts as longer than the picture. It is then cut, with a warning."""


def to_fraction(value: Seconds) -> Fraction:
    """Convert seconds or a rate to an exact fraction.

    A float becomes the simplest fraction within its precision (0.1 becomes 1/10), with a denominator of at most 1,000,000.
    """
    return value if isinstance(value, Fraction) else simplest(Fraction(value))


def simplest(value: Fraction) -> Fraction:
    """Round a fraction to a denominator of at most 1,000,000."""
    return value.limit_denominator(1_000_000)
