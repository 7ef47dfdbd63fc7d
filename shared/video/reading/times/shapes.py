"""Changes of the picture's size within a stream, found from its keyframes."""

import re
from dataclasses import dataclass, field
from typing import Any

import av
import av.error

from shared.video.limits import Limits

_MOST = 16
# Where a keyframe holds its size: parameter sets behind a start code, or the frame's own header.
_PARAMETERS = {
    "h264": re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67](?:(?!\x00\x00[\x00\x01]).)*", re.DOTALL),
    "hevc": re.compile(rb"\x00\x00\x01\x42\x01(?:(?!\x00\x00[\x00\x01]).)*", re.DOTALL),
    "mpeg2video": re.compile(rb"\x00\x00\x01\xb3.{4}", re.DOTALL),
    "mpeg1video": re.compile(rb"\x00\x00\x01\xb3.{4}", re.DOTALL),
}
_HEADERS = {"vp8": slice(6, 10), "vp9": slice(0, 9)}
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Shape:
    """The stored size of the pictures from one packet on.

    `packet`: its number.
    """

    packet: int
    width: int
    height: int


@dataclass(slots=True)
class Shapes:
    """The sizes of the pictures of a video stream, as its keyframes come."""

    stream: Any
    limits: Limits
    found: list[Shape] = field(default_factory=list)
    _seen: bytes | None = None
    _known: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def see(self, packet: Any, number: int) -> None:
        """Look at packet `number`.

        It is decoded if it is a keyframe of other parameters than the one before.
        """
        if not packet.is_keyframe or len(self._known) >= _MOST:
            return
        mark: bytes | None
        codec = self.stream.codec_context.codec.canonical_name
        if codec in _HEADERS:
            mark = bytes(packet)[_HEADERS[codec]]
        elif codec in _PARAMETERS:
            match = _PARAMETERS[codec].search(bytes(packet)[:_HEAD_BYTES])
            mark = match[0] if match is not None else self._seen
        else:
            return
        if mark is None or mark == self._seen:
            return
        self._seen = mark
        if mark not in self._known:
            size = self._size(packet)
            if size is None:
                return
            self._known[mark] = size
        width, height = self._known[mark]
        if not self.found or (self.found[-1].width, self.found[-1].height) != (width, height):
            self.found.append(Shape(number, width, height))

    def _size(self, packet: Any) -> tuple[int, int] | None:
        """Decode one keyframe alone."""
        try:
            context: Any = av.CodecContext.create(self.stream.codec_context.codec.name, "r")
            context.extradata = self.stream.codec_context.extradata
            context.options = {"max_pixels": str(self.limits.max_pixels)}
            context.thread_count = 1
            pictures = context.decode(packet) + context.decode(None)
        except (av.error.FFmpegError, ValueError):
            return None
        return (pictures[0].width, pictures[0].height) if pictures else None
