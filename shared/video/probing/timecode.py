"""Timecode as cameras and editing programs count it (SMPTE ST 12-1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from shared.media_info import VideoInfo

_TIMECODE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;.,])(\d{2,3})")
_DROPPING = frozenset({Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120000, 1001)})
"""The rates for which drop-frame timecode is defined."""


@dataclass(frozen=True, slots=True)
class Timecode:
    """A count of frames since midnight at a frame rate.

    `rate`: exact frames a second; timecode counts it as the next whole number (24000/1001 as 24). `drop`: drop-frame, which leaves out the
    first two numbers (four at 60) of every minute but each tenth, so that it keeps up with the clock. It wraps at 24 hours.
    """

    frame: int
    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"{self.rate = } must be positive")
        if self.drop and self.rate not in _DROPPING:
            raise ValueError(f"{self.rate = } has no drop-frame timecode: only 29.97, 59.94 and 119.88 frames a second have")

    @classmethod
    def parse(cls, text: str, rate: Fraction) -> "Timecode":
        """Parse the text of a timecode that counts frames at `rate`.

        It is drop-frame if the last separator is ";", "," or "." and the rate has a drop-frame count. Raises ValueError for other text, and
        for a number that drop-frame leaves out.
        """
        match = _TIMECODE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a timecode: write HH:MM:SS:FF, or HH:MM:SS;FF for drop-frame")
        hours, minutes, seconds, frames = (int(match[number]) for number in (1, 2, 3, 5))
        whole = counted_rate(rate)
        if frames >= whole or hours > 23:
            raise ValueError(f"{text!r} is not a timecode at {rate} frames per second: hours go up to 23 and frames up to {whole - 1}")
        drop = match[4] != ":" and rate in _DROPPING
        left_out = _left_out(whole) if drop else 0
        if left_out and minutes % 10 and not seconds and frames < left_out:
            raise ValueError(f"{text!r} does not exist: drop-frame timecode leaves this number out")
        passed = hours * 60 + minutes
        return cls((passed * 60 + seconds) * whole + frames - left_out * (passed - passed // 10), rate, drop)

    def __add__(self, frames: int) -> "Timecode":
        return Timecode(self.frame + frames, self.rate, self.drop)

    @property
    def seconds(self) -> Fraction:
        """Return the real time since midnight, in seconds."""
        return self.frame / self.rate

    def __str__(self) -> str:
        whole = counted_rate(self.rate)
        number = self.frame % self._day
        if self.drop:
            left_out = _left_out(whole)
            tens, rest = divmod(number, 600 * whole - 9 * left_out)
            # The first of ten minutes counts every number; each of the other nine leaves out its first numbers.
            later = max(rest - 60 * whole, 0) // (60 * whole - left_out) + (rest >= 60 * whole)
            number += left_out * (9 * tens + later)
        seconds, frames = divmod(number, whole)
        width = len(str(whole - 1)) if whole > 100 else 2
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{';' if self.drop else ':'}{frames:0{width}}"

    @property
    def _day(self) -> int:
        whole = counted_rate(self.rate)
        return 24 * 3600 * whole - (24 * 54 * _left_out(whole) if self.drop else 0)


def start_timecode(*tags: Mapping[str, str]) -> str | None:
    """Return the first valid timecode in several sets of tags, or None.

    The sets are those of the stream, the file and the timecode track.
    """
    for tag_set in tags:
        text = next((value.strip() for name, value in tag_set.items() if name.lower() == "timecode"), "")
        if (match := _TIMECODE.fullmatch(text)) and int(match[1]) < 24:
            return text[:8] + (":" if match[4] == ":" else ";") + match[5]
    return None


def timecode_at(info: VideoInfo, second: Fraction) -> str | None:
    """Return the timecode of the frame at `second` of a file, or None.

    None if the file has no valid start timecode, or if its rate varies, which timecode cannot count.
    """
    rate = info.steady_rate
    if info.start_timecode is None or (info.variable_frame_rate and second):
        return None
    try:
        return str(Timecode.parse(info.start_timecode, rate) + round(second * rate))
    except ValueError:
        return None


def counted_rate(rate: Fraction) -> int:
    """Return the whole number of frames that timecode counts per second at `rate`.

    For example 30 for 30000/1001.
    """
    return max(-(-rate.numerator // rate.denominator), 1)


def _left_out(whole: int) -> int:
    return whole // 15
