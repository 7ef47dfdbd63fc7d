"""Constant frame rates for the timelines of editing programs."""

from fractions import Fraction

_STANDARD = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "120"))
_HIGHEST = Fraction(240)


def constant_rate(rate: Fraction, *, varies: bool) -> Fraction:
    """Choose the timeline rate for a clip.

    It is `rate` itself, or for a varying rate the next standard rate that is not below it.
    """
    if rate <= 0:
        return Fraction(25)
    if not varies:
        return min(rate, _HIGHEST)
    # 1 % tolerance, so that an average just above 30, as with irregular times, does not give 50.
    return next((standard for standard in _STANDARD if standard >= rate * Fraction(99, 100)), _HIGHEST)
