"""Constant frame rates for the timelines of editing programs."""

from fractions import Fraction

_STANDARD = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "120"))
_HIGHEST = Fraction(240)


def constant_rate(rate: Fraction, *, varies: bool) -> Fraction:
    """Choose the constant timeline rate for a clip.

    The result is `rate` itself, or for a varying rate the nearest standard rate within 1 %, else the next above; at most 240. A rate of 0,
    which is unknown, gives 25.
    """
    if rate <= 0:
        return Fraction(25)
    if not varies:
        return min(rate, _HIGHEST)
    nearest = min(_STANDARD, key=lambda standard: abs(standard / rate - 1))
    # 1 % tolerance: a few dropped frames should not raise 30 to 50.
    if abs(nearest / rate - 1) <= Fraction(1, 100):
        return nearest
    return next((standard for standard in _STANDARD if standard >= rate), _HIGHEST)
