"""What the sizes of packets tell before anything is decoded: where a picture has little in common with those before it."""

from collections import deque

_RECENT = 15
_TIMES = 2.0


class Sizes:
    """Looks at packets in the order of decoding."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._latest: int | None = None
        self._unusual = False

    def unusual(self, pts: int | None, size: int, is_keyframe: bool) -> bool:
        """Whether a packet, or the one that it lies before, is a keyframe or far larger than those of its kind were."""
        if pts is None:
            return True
        # What is shown before something that was decoded already lies between two others; its size says little.
        if self._latest is not None and pts < self._latest:
            return self._unusual
        self._latest = pts
        usual = sorted(self._recent)[len(self._recent) // 2] if self._recent else 0
        self._unusual = is_keyframe or (usual > 0 and size > _TIMES * usual)
        if not is_keyframe:
            self._recent.append(size)
        return self._unusual
