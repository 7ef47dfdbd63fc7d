"""Closed captions (CEA-608 and CEA-708) inside the packets of a video stream."""

from collections.abc import Iterator
from typing import Any

import av.error
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType

_REGISTERED = b"\xb5\x00\x31GA94\x03"
_USER_DATA = b"\x00\x00\x01\xb2"
_MARKS = {
    "h264": (_REGISTERED,),
    "hevc": (_REGISTERED,),
    "av1": (_REGISTERED,),
    "mpeg2video": (_USER_DATA + b"GA94\x03", _USER_DATA + b"CC\x01\xf8"),
}
"""Codec -> bytes that stand directly before captions.

In broadcasts (ATSC A/53, part 4, 6.2.3), captions are in ITU-T T.35 messages or user data; the last bytes of MPEG-2 are those of DVDs.
"""
_FIRST_PACKETS, _FIRST_BYTES = 120, 16 * 1024 * 1024
"""Maximum number of packets, and of bytes, to examine at a file's start."""
_PLACES, _PACKETS_AT_PLACE = 16, 5
"""Number of places to examine in a file, and of packets at later places."""


def holds_captions(codec: str, packet: Any) -> bool:
    """Return whether a video packet holds closed captions.

    `codec`: FFmpeg's name of the video's codec.
    """
    if codec not in _MARKS or not packet.size:
        return False
    data = bytes(packet)
    return any(_holds(data, mark) for mark in _MARKS[codec])


def _holds(data: bytes, mark: bytes) -> bool:
    place = data.find(mark) + len(mark)
    # The last five bits are the number of captions. On DVDs the number is in another place.
    return place >= len(mark) and (mark.endswith(b"\xf8") or bool(data[place : place + 1] and data[place] & 0x1F))


def shows_captions(picture: Any) -> bool:
    """Return whether a decoded picture has closed captions."""
    # Not `picture.side_data`: it refers back to the picture, which would stay in memory until a garbage collection.
    side_data: Any = SideDataContainer
    return any(data.type == SideDataType.A53_CC for data in side_data(picture))


def captions_found(container: Any, stream: Any) -> bool:
    """Return whether packets of an open file's video hold closed captions.

    Looks at the next packets and at some in evenly spaced places, so captions of a few seconds may be missed.
    """
    codec = stream.codec_context.codec.canonical_name
    if codec not in _MARKS:
        return False
    return any(holds_captions(codec, packet) for packet in _looked_at(container, stream))


def _looked_at(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of `stream` that are examined for captions."""
    try:
        size = 0
        for number, packet in enumerate(container.demux(stream)):
            size += packet.size
            yield packet
            if number >= _FIRST_PACKETS or size >= _FIRST_BYTES:
                break
        for place in range(1, _PLACES if stream.duration else 0):
            container.seek((stream.start_time or 0) + stream.duration * place // _PLACES, stream=stream)
            for number, packet in enumerate(container.demux(stream)):
                yield packet
                if number >= _PACKETS_AT_PLACE:
                    break
    except av.error.FFmpegError:
        return
