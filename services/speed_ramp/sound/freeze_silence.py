"""Silence where the picture stands still."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_FADE_S = 0.005
_MOST_S = 1.0


class Sound(Protocol):
    """Samples along a curve."""

    def read(self, until: int) -> Iterator[Samples]:
        """The samples from where the last call ended up to output sample `until`, in pieces, float32 (channels, n)."""


class WithStops:
    """A sound that moves along a curve without its freezes, with silence in their places, faded out before and in after each.

    `stops`: (when, how long) in seconds, `when` on the clock without freezes, rising.
    """

    def __init__(self, sound: Sound, stops: Iterable[tuple[float, float]], *, channels: int, sample_rate: int) -> None:
        self._sound, self._channels, self._rate = sound, channels, sample_rate
        self._given = self._silent = self._ended = 0
        # Each from its first silent sample to the first one after it; sums are rounded, so that nothing adds up.
        self._stops: list[tuple[int, int]] = []
        total = 0.0
        for when, length in stops:
            self._stops.append((round((when + total) * sample_rate), round((when + total + length) * sample_rate)))
            total += length

    def read(self, until: int) -> Iterator[Samples]:
        """As `Sound.read`."""
        while self._given < until:
            begin, end = self._stops[0] if self._stops else (None, 0)
            if begin is None or self._given < begin:
                stop = until if begin is None else min(until, begin)
                for part in self._sound.read(stop - self._silent):
                    yield self._faded(part, begin)
            else:
                count = min(until, end, self._given + round(_MOST_S * self._rate)) - self._given
                self._given += count
                self._silent += count
                if self._given >= end:
                    self._stops.pop(0)
                    self._ended = end
                if count > 0:
                    yield np.zeros((self._channels, count), np.float32)

    def _faded(self, part: Samples, begin: int | None) -> Samples:
        """The next samples of the sound, quieter the nearer they are to silence."""
        fade, start = round(_FADE_S * self._rate), self._given
        self._given += part.shape[1]
        near = start < self._ended + fade if self._ended else False
        if not near and (begin is None or self._given < begin - fade):
            return part
        at = np.arange(start, self._given)
        since = (at - self._ended + 1) / fade if self._ended else np.ones(len(at))
        left = np.ones(len(at)) if begin is None else (begin - at) / fade
        return part * np.clip(np.minimum(since, left), 0, 1).astype(np.float32)
