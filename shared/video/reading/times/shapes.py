"""Shapes of a stream's frames, collected from its keyframes.

A shape is the size, the pixel ratio and the orientation.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import av.error

from shared.video.frames.display import Orientation, orientation_of
from shared.video.limits import Limits
from shared.video.reading.times.parameter_sets import parameters

_MOST = 16  # most different shapes of one stream that are recorded


@dataclass(frozen=True, slots=True)
class Shape:
    """Size, pixel ratio and orientation of coded frames.

    `pixel_ratio`: width of a pixel relative to its height. `orientation`: the turn that makes a picture upright.
    """

    width: int
    height: int
    pixel_ratio: Fraction
    orientation: Orientation


@dataclass(slots=True)
class Shapes:
    """A collector of a stream's frame shapes, fed packet by packet."""

    stream: Any
    limits: Limits
    changes: list[tuple[int, Shape]] = field(default_factory=list)
    """The number of the first packet with each shape, and the shape."""
    _mark: tuple[bytes, bytes] | None = None
    _shapes: dict[tuple[bytes, bytes], Shape] = field(default_factory=dict)

    def see(self, packet: Any, number: int) -> None:
        """Record the frame shape at packet `number` if it changes there.

        A keyframe is decoded if its parameter sets differ from the last ones.
        """
        if not packet.is_keyframe or len(self._shapes) >= _MOST:
            return
        context = self.stream.codec_context
        mark = parameters(context.codec.canonical_name, context.extradata or b"", bytes(packet))
        if mark is None:
            return
        mark = (mark[0] or (self._mark or (b"",))[0], mark[1])
        if mark == self._mark:
            return
        self._mark = mark
        if mark not in self._shapes:
            shape = shape_of(packet, self.stream, self.limits)
            if shape is None:
                return
            self._shapes[mark] = shape
        if not self.changes or self.changes[-1][1] != self._shapes[mark]:
            self.changes.append((number, self._shapes[mark]))


def shape_of(packet: Any, stream: Any, limits: Limits) -> Shape | None:
    """Decode one keyframe by itself; return its shape.

    None if it cannot be decoded.
    """
    try:
        context: Any = av.CodecContext.create(stream.codec_context.codec.name, "r")
        context.extradata = stream.codec_context.extradata
        context.options = {"max_pixels": str(limits.max_pixels)}
        context.thread_count = 1
        pictures = context.decode(packet) + context.decode(None)
        ratio = context.sample_aspect_ratio
    except (av.error.FFmpegError, ValueError):
        return None
    if not pictures:
        return None
    return Shape(pictures[0].width, pictures[0].height, ratio or Fraction(1), orientation_of(pictures[0]))
