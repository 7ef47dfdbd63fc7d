"""Sample rate and channels, as the headers of sound packets state them."""

from typing import Any

_LAYERS = frozenset({"mp1", "mp2", "mp3"})
_AC3 = b"\x0b\x77"


def sound_format(codec: str, packet: Any) -> tuple[int, ...] | None:
    """Return the sample rate and channel fields of a packet's header, or None.

    AAC in streams (ISO/IEC 14496-3, 1.A.2), MPEG audio (ISO/IEC 11172-3, 2.4.1.3) and AC-3 (ETSI TS 102 366, 4.4.1 and 4.4.2) have one.
    """
    if codec not in ("aac", "ac3") and codec not in _LAYERS:
        return None
    head = bytes(memoryview(packet)[:8])
    if len(head) < 7:
        return None
    if codec == "aac" and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return head[2] & 0x3D, head[3] & 0xC0
    if codec in _LAYERS and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # Stereo may change to joint stereo; only a single channel is another format.
        return head[1] & 0x18, head[2] & 0x0C, int(head[3] & 0xC0 == 0xC0)
    if codec == "ac3" and head[:2] == _AC3:
        return head[4] & 0xC0, head[6] & 0xE0
    return None
