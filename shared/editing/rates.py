"""The frame rate of a timeline: editing programs know only constant ones."""

from fractions import Fraction

_STANDARD = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "120"))
_HIGHEST = Fraction(240)


def constant_rate(rate: Fraction, *, varies: bool) -> Fraction:
    """Frames a second of a timeline for a clip of `rate`: that rate exactly; for a varying one the next standard rate not below it."""
    if rate <= 0:
        return Fraction(25)
    if not varies:
        return min(rate, _HIGHEST)
    # 1 %: a few dropped frames must not push 30 to 50.
    return next((standard for standard in _STANDARD if standard >= rate * Fraction(99, 100)), _HIGHEST)
