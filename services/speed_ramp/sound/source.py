"""Audio track with access by sample position.

Silence where the track has no sound.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from shared.video import AudioBlock

Samples = NDArray[np.float32]

_KEPT_S = 0.5  # seconds of sound that stay in memory before the position read last, because pieces overlap


class Source:
    """An audio track, decoded in blocks and read by sample position.

    Positions may only move forward. Gaps in the track, and everything before and after it, read as silence. `start`: first sample that can
    be read; earlier samples are silent.
    """

    channels: int
    sample_rate: int

    def __init__(self, blocks: Iterable[AudioBlock], *, channels: int, sample_rate: int, start: int = 0) -> None:
        self._blocks = iter(blocks)
        self.channels, self.sample_rate = channels, sample_rate
        self._held: Samples = np.zeros((channels, 0), np.float32)
        self._first = start
        self._next: AudioBlock | None = None

    def read(self, start: int, end: int) -> Samples:
        """Return samples `start` to `end`, float32 (channels, end - start).

        Sample numbers count from time 0 and may be negative. Forgets the samples more than half a second before `start`.
        """
        self._fill(end)
        samples = np.zeros((self._held.shape[0], end - start), np.float32)
        low, high = max(start, self._first), min(end, self._first + self._held.shape[1])
        if low < high:
            samples[:, low - start : high - start] = self._held[:, low - self._first : high - self._first]
        self._forget(start - round(_KEPT_S * self.sample_rate))
        return samples

    def _fill(self, end: int) -> None:
        """Decode blocks up to sample `end`."""
        parts, length = [self._held], self._first + self._held.shape[1]
        while length < end:
            block = self._next or next(self._blocks, None)
            if block is None:
                break
            at = max(round(block.start * self.sample_rate), length)
            # A long gap is filled bit by bit, so that it is never in memory as a whole.
            gap = min(at, end) - length
            parts.append(np.zeros((self._held.shape[0], max(gap, 0)), np.float32))
            length += max(gap, 0)
            if at > length:
                self._next = block
            else:
                self._next = None
                parts.append(block.samples)
                length += block.samples.shape[1]
        self._held = np.concatenate(parts, axis=1) if len(parts) > 1 else self._held

    def _forget(self, before: int) -> None:
        """Drop samples before position `before`."""
        count = min(max(before - self._first, 0), self._held.shape[1])
        self._held, self._first = self._held[:, count:], self._first + count
