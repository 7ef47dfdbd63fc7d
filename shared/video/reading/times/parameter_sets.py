"""Extraction of a keyframe's parameter sets, which determine the picture's shape.

The shape is the size, the pixel ratio and the orientation. Sources: ITU-T H.264 (7.3.1, Annex B, D.1.27) and H.265 (7.3.1, D.2.17), ISO/IEC
14496-15 for samples with lengths instead of start codes, ITU-T T.81 (B.2.2), PNG (11.2.2), SMPTE RDD 36 (5.1), RFC 6386 (9.1).
"""

import re
from collections.abc import Iterator

HEAD_BYTES = 4096
"""Number of first bytes of a packet that are searched for parameter sets."""
_START = re.compile(rb"\x00\x00\x01")
_HEADERS = {
    "mpeg1video": re.compile(rb"\x00\x00\x01\xb3.{4}", re.DOTALL),
    "mpeg2video": re.compile(rb"\x00\x00\x01\xb3.{4}", re.DOTALL),
    "mpeg4": re.compile(rb"\x00\x00\x01[\x20-\x2f].{12}", re.DOTALL),
    "vp8": re.compile(rb"^.{6}(.{4})", re.DOTALL),
    "vp9": re.compile(rb"^.{9}", re.DOTALL),
    "av1": re.compile(rb"^(?:\x12\x00)?\x0a.{12}", re.DOTALL),
    "mjpeg": re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7]\x00[\x08-\x14]\x08(.{4})", re.DOTALL),
    "png": re.compile(rb"IHDR(.{8})", re.DOTALL),
    "prores": re.compile(rb"icpf.{8}(.{4})", re.DOTALL),
}
"""Codec -> pattern of a keyframe's head. The group holds the picture's size; without a group, the whole match does."""
_LENGTH_AT = {"h264": 4, "hevc": 21}
"""Codec -> offset of a byte in the decoder's configuration. Its two low bits are the size of a NAL unit's length field, less one."""
_ORIENTATION = 47
"""Payload type of the SEI message for the display orientation."""


def parameters(codec: str, extradata: bytes, packet: bytes) -> tuple[bytes, bytes] | None:
    """Return the parameter sets of a keyframe, and its message about orientation.

    Both are raw bytes; equal bytes mean equal shapes. The first are empty where a keyframe relies on earlier parameters, the second where
    it has no such message. `codec`: FFmpeg's name. `extradata`: the decoder's configuration. None for codecs without a rule here.
    """
    head = packet[:HEAD_BYTES]
    if codec in _LENGTH_AT:
        sets, turn = b"", b""
        for unit in _units(head, extradata, _LENGTH_AT[codec]):
            kind, header = (unit[0] & 31, 1) if codec == "h264" else (unit[0] >> 1 & 63, 2)
            if kind == (7 if codec == "h264" else 33):
                sets = sets or unit
            elif kind == (6 if codec == "h264" else 39):
                turn = turn or _orientation(unit[header:])
        return sets, turn
    if codec not in _HEADERS:
        return None
    match = _HEADERS[codec].search(head)
    return (b"" if match is None else match[match.re.groups]), b""


def _units(head: bytes, extradata: bytes, length_at: int) -> Iterator[bytes]:
    """Yield the NAL units (pieces of coded video) at a packet's head.

    Their start codes or lengths are left out.
    """
    if head[:3] == b"\x00\x00\x01" or head[:4] == b"\x00\x00\x00\x01":
        starts = [match.end() for match in _START.finditer(head)]
        for first, after in zip(starts, [*(start - 3 for start in starts[1:]), len(head)], strict=True):
            if unit := head[first:after].rstrip(b"\x00"):
                yield unit
        return
    size = (extradata[length_at] & 3) + 1 if len(extradata) > length_at and extradata[0] == 1 else 4
    place = 0
    while place + size < len(head):
        length = int.from_bytes(head[place : place + size], "big")
        if unit := head[place + size : place + size + length]:
            yield unit
        place += size + length


def _orientation(messages: bytes) -> bytes:
    """Return the payload of the display orientation message among SEI messages.

    Empty if there is none.
    """
    place = 0
    while place + 2 <= len(messages) and messages[place] != 0x80:
        values = []
        for _ in range(2):
            value = 0
            while place < len(messages) and messages[place] == 255:
                value, place = value + 255, place + 1
            if place >= len(messages):
                return b""
            values.append(value + messages[place])
            place += 1
        kind, size = values
        if kind == _ORIENTATION:
            return messages[place : place + size]
        place += size
    return b""
