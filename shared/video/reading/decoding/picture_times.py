"""Times of decoded pictures on a file's timeline."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
import av.container

from shared.video.limits import Limits
from shared.video.reading.open_input import time_base_of, timeline_zero
from shared.video.reading.times.clock import Clock

TimedPicture = tuple[av.VideoFrame, int]


class PictureTimes:
    """Times of the pictures of a stream, in units of `base`.

    Times rise strictly; 0 is the start of the file's timeline. `fields`: a picture for each field of interlaced pictures.
    """

    def __init__(self, container: av.container.InputContainer, stream: Any, clock: Clock, limits: Limits, *, fields: bool) -> None:
        self._clock = clock
        self._limits = limits
        self._fields = fields
        self.stream_base = time_base_of(stream)
        # With `fields`, half the stream's unit: the second field of a picture lies half-way to the next picture.
        self.base = self.stream_base / 2 if fields else self.stream_base
        self.offset = int(timeline_zero(container, stream) / self.base)
        # AVI numbers packets in decoding order, so reordered pictures carry the time of another picture.
        # So do packets whose times were made even.
        self._even = clock.even.get(stream.index)
        numbered = container.format.name == "avi" and bool(stream.codec_context.has_b_frames)
        self.by_order = numbered or self._even is not None
        """Whether the stated times count pictures in decoding order."""
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.step = max(round(1 / (rate * (2 if fields else 1) * self.base)), 1)
        """Usual time from one picture to the next, in units of `base`."""
        if self._even is not None:
            self.step = max(round(self._even.step * self.stream_base / self.base) // (2 if fields else 1), 1)

    def ticks(self, time: int) -> int:
        """Convert a time to the file's clock, in ticks of the stream's time base."""
        return int((time + self.offset) * self.base / self.stream_base)

    def converted(self, value: int, picture: Any) -> int:
        """Convert `value` to units of `base`.

        `picture`: the picture or packet whose time base the value has.
        """
        unit = picture.time_base or self.stream_base
        return value if unit == self.base else round(value * unit / self.base)

    def duration_of(self, picture: av.VideoFrame, *, deinterlaced: bool) -> int:
        """Return a picture's duration.

        A picture without one gets that of a frame at the average rate.
        """
        stated = self.converted(picture.duration or 0, picture) or self.step
        return min(stated, self.step) if self._fields and deinterlaced else stated

    def rising(self, pictures: Iterable[av.VideoFrame], previous: int | None) -> Iterator[TimedPicture]:
        """Yield pictures with rising times.

        The first time is later than `previous`.
        """
        for picture in pictures:
            time = self.of(picture, previous)
            if previous is not None and time <= previous:
                time = previous + 1
            previous = time
            yield picture, time

    def of(self, picture: av.VideoFrame, previous: int | None) -> int:
        """Return a picture's time.

        `previous`: time of the picture before; None for the first picture.
        """
        value = picture.dts if picture.pts is None or self.by_order else picture.pts
        if self._clock.sparse and previous is not None:
            return self._even_time(picture, previous + self.step)
        if value is None:
            return 0 if previous is None else previous + self.step
        if self.by_order and previous is None:
            first = 0 if self._even is None else self.converted(self._even.shown, picture) - self.offset
            self.offset = self.converted(value, picture) - first
        return self.converted(value, picture) - self.offset

    def _even_time(self, picture: av.VideoFrame, expected: int) -> int:
        """Return a picture's time in a stream where some pictures have no time.

        `expected`: the previous picture's time plus one step. FFmpeg gives some times to a neighbour of the right picture.
        """
        if picture.pts is None:
            return expected
        stated = self.converted(picture.pts, picture) - self.offset
        longest = self._limits.max_duration_s / self.base if self._clock.counted else 4 * self.step
        return expected if self.step / 2 < abs(stated - expected) <= longest else stated
