"""Request parameters that hold a frame rate as text."""

import re
from dataclasses import dataclass
from fractions import Fraction

_NTSC_TOLERANCE = Fraction(1, 200)
"""Largest difference in fps between a decimal and the NTSC rate it means."""


@dataclass(frozen=True, kw_only=True)
class RateText:
    """An annotation for a parameter that is a frame rate or one of `words`.

    `lowest`, `highest`: limits of the rate in frames per second.
    """

    words: tuple[str, ...]
    lowest: Fraction
    highest: Fraction

    @property
    def pattern(self) -> str:
        """Regular expression of the accepted texts."""
        return rf"^({'|'.join(self.words)}|\d{{1,6}}(\.\d{{1,6}})?|\d{{1,6}}/\d{{1,6}})$"

    def __call__(self, value: object) -> str:
        """Check a value; return a rate such as "25", or one of `words`.

        A rate may also be a fraction such as "30000/1001". The usual decimals of NTSC rates (23.976, 29.97, 59.94) become exact. Raises
        ValueError for anything else.
        """
        text = f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value).strip()
        choices = ", ".join(f"`{word}`" for word in self.words)
        if isinstance(value, bool) or not re.fullmatch(self.pattern, text):
            raise ValueError(f"{text[:32]!r} is not a frame rate: give {choices}, or a rate such as 25 or 30000/1001")
        if text in self.words:
            return text
        try:
            rate = Fraction(text)
        except ZeroDivisionError:
            raise ValueError(f"{text!r} divides by zero: give a rate such as 25 or 30000/1001") from None
        ntsc = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
        if "." in text and rate.denominator > 1 and abs(rate - ntsc) < _NTSC_TOLERANCE:
            rate = ntsc
        if not self.lowest <= rate <= self.highest:
            raise ValueError(f"{text} frames per second is outside the range from {float(self.lowest):g} to {self.highest}")
        return str(rate)
