"""Detection of changed pictures by the size of their packets, without decoding."""

from collections import deque

_RECENT = 15
"""Number of previous packets with which a packet is compared."""
_TIMES = 2.0
"""Ratio to the usual size above which a packet is unusually large."""


class PacketSizes:
    """A detector of packets that are much larger than the packets just before them."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._latest: int | None = None
        self._unusual = False

    def unusual(self, pts: int | None, size: int, is_keyframe: bool) -> bool:
        """Record a packet; return whether its size suggests a changed picture.

        True for a keyframe, for a packet far larger than recent ones, and for a packet without a time. A packet shown before a packet
        that was recorded earlier gets the earlier packet's answer.
        """
        if pts is None:
            return True
        # A picture between two decoded ones is predicted from both; its size says little.
        if self._latest is not None and pts < self._latest:
            return self._unusual
        self._latest = pts
        usual = sorted(self._recent)[len(self._recent) // 2] if self._recent else 0
        self._unusual = is_keyframe or (usual > 0 and size > _TIMES * usual)
        if not is_keyframe:
            self._recent.append(size)
        return self._unusual
