"""Frame rates of outputs and timelines: the source's, or a given one."""

import re
from fractions import Fraction

from shared.editing.rates import constant_rate
from shared.video import VideoInfo

SOURCE = "source"
"""The value of `frame_rate` that keeps the source's rate."""

PATTERN = r"^(source|\d{1,6}(\.\d{1,6})?|\d{1,6}/\d{1,6})$"
LOWEST, HIGHEST = Fraction(1), Fraction(120)
EDL_HIGHEST = Fraction(60)
"""Highest rate of an edit decision list: its timecode has two digits for frames."""

_TIMELINES = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60"))
"""Rates of timelines in all editing programs."""


def rate_text(value: object) -> str:
    """Return a frame rate in its one form: `source`, "25" or "30000/1001".

    The usual decimals of NTSC rates (23.976, 29.97, 59.94) become exact. Raises ValueError for anything else.
    """
    text = f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text[:32]!r} is not a frame rate: give `source`, or a rate such as 24 or 30000/1001")
    if text == SOURCE:
        return text
    try:
        rate = Fraction(text)
    except ZeroDivisionError:
        raise ValueError(f"{text!r} divides by zero: give a rate such as 24 or 30000/1001") from None
    ntsc = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if "." in text and rate.denominator > 1 and abs(rate - ntsc) < Fraction(1, 200):
        rate = ntsc
    if not LOWEST <= rate <= HIGHEST:
        raise ValueError(f"{text} frames per second is not between {LOWEST} and {HIGHEST}")
    return str(rate)


def output_rate(text: str, info: VideoInfo) -> Fraction:
    """Return the frames per second of a rendered clip. `text`: as from `rate_text`."""
    return constant_rate(info.steady_rate, varies=False) if text == SOURCE else Fraction(text)


def timeline_rate(text: str, info: VideoInfo) -> Fraction:
    """Return the frames per second of a timeline. `text`: as from `rate_text`.

    A source's rate that editing programs do not have becomes one that they have: the highest that divides it (60 for 240), else the lowest
    that is a multiple (30 for 15), else the next above.
    """
    if text != SOURCE:
        return Fraction(text)
    rate = constant_rate(info.steady_rate, varies=False)
    if rate in _TIMELINES:
        return rate
    dividing = [standard for standard in _TIMELINES if (rate / standard).denominator == 1]
    multiples = [standard for standard in _TIMELINES if (standard / rate).denominator == 1]
    above = next((standard for standard in _TIMELINES if standard >= rate), _TIMELINES[-1])
    return max(dividing, default=min(multiples, default=above))
