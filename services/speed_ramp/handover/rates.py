"""Frame rates of rendered clips and timelines."""

from fractions import Fraction

from shared.editing.rates import constant_rate
from shared.video import VideoInfo
from shared.video.rate_text import RateText

SOURCE = "source"
"""The value of `frame_rate` that keeps the source's rate."""

FRAME_RATE = RateText(words=(SOURCE,), lowest=Fraction(1), highest=Fraction(120))
EDL_HIGHEST = Fraction(60)
"""Highest rate of an edit decision list: its timecode has two digits for frames."""

_TIMELINES = tuple(Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60"))
"""Frame rates that all editing programs support."""


def output_rate(text: str, info: VideoInfo) -> Fraction:
    """Return a rendered clip's frames per second: `text`, or the source's rate.

    `text`: as `FRAME_RATE` returns it.
    """
    return constant_rate(info.steady_rate, varies=False) if text == SOURCE else Fraction(text)


def timeline_rate(text: str, info: VideoInfo) -> Fraction:
    """Return a timeline's frames per second: `text`, or a rate near the source's.

    `text`: as `FRAME_RATE` returns it. If editing programs do not support the source's rate, the result is a rate that they support: the
    highest that divides it (60 for 240), else the lowest that is a multiple of it (30 for 15), else the next higher rate.
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
