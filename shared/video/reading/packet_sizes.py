"""Find pictures that differ from those before them by the sizes of packets, without decoding."""

from collections import deque

_RECENT = 15
_TIMES = 2.0


class PacketSizes:
    """Watch the sizes of packets, in decoding order."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._latest: int | None = None
        self._unusual = False

    def unusual(self, pts: int | None, size: int, is_keyframe: bool) -> bool:
        """Check whether a packet, or the one it is shown before, is a keyframe or far larger than recent ones."""
        if pts is None:
            return True
        # A picture shown before one that is already decoded lies between two others; its size says little.
        if self._latest is not None and pts < self._latest:
            return self._unusual
        self._latest = pts
        usual = sorted(self._recent)[len(self._recent) // 2] if self._recent else 0
        self._unusual = is_keyframe or (usual > 0 and size > _TIMES * usual)
        if not is_keyframe:
            self._recent.append(size)
        return self._unusual
