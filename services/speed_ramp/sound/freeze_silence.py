"""Silence in the sound during freezes of the picture."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from services.speed_ramp.sound.source import Samples

_FADE_S = 0.005  # length of the fade before and after a silence, in seconds
_MAX_SILENCE_S = 1.0  # longest piece of silence that is returned at a time, in seconds


class Sound(Protocol):
    """Interface of a retimed sound, read in order."""

    def read(self, until: int) -> Iterator[Samples]:
        """Yield the next samples, up to but not including output sample `until`.

        Samples continue the last call; float32 (channels, n) each.
        """


class FreezeSilence:
    """Retimed sound with silence inserted at freezes.

    The sound fades out before each freeze and in after it. `sound`: sound retimed along the curve without its freezes. `freezes`: (time,
    length) of each freeze in seconds, in order. Times are output seconds of the curve without freezes.
    """

    def __init__(self, sound: Sound, freezes: Iterable[tuple[float, float]], *, channels: int, sample_rate: int) -> None:
        self._sound, self._channels, self._rate = sound, channels, sample_rate
        self._position = self._silent = self._freeze_end = 0
        # First silent sample of each freeze and first sample after it. Rounding the sums keeps rounding errors from adding up.
        self._freezes: list[tuple[int, int]] = []
        total = 0.0
        for time, length in freezes:
            self._freezes.append((round((time + total) * sample_rate), round((time + total + length) * sample_rate)))
            total += length

    def read(self, until: int) -> Iterator[Samples]:
        """Yield the next samples, up to but not including output sample `until`."""
        while self._position < until:
            begin, end = self._freezes[0] if self._freezes else (None, 0)
            if begin is None or self._position < begin:
                stop = until if begin is None else min(until, begin)
                for part in self._sound.read(stop - self._silent):
                    yield self._faded(part, begin)
            else:
                count = min(until, end, self._position + round(_MAX_SILENCE_S * self._rate)) - self._position
                self._position += count
                self._silent += count
                if self._position >= end:
                    self._freezes.pop(0)
                    self._freeze_end = end
                if count > 0:
                    yield np.zeros((self._channels, count), np.float32)

    def _faded(self, part: Samples, begin: int | None) -> Samples:
        """Fade samples out before a silence and in after it.

        `begin`: first sample of the next freeze.
        """
        fade, start = round(_FADE_S * self._rate), self._position
        self._position += part.shape[1]
        near = start < self._freeze_end + fade if self._freeze_end else False
        if not near and (begin is None or self._position < begin - fade):
            return part
        at = np.arange(start, self._position)
        fade_in = (at - self._freeze_end + 1) / fade if self._freeze_end else np.ones(len(at))
        fade_out = np.ones(len(at)) if begin is None else (begin - at) / fade
        return part * np.clip(np.minimum(fade_in, fade_out), 0, 1).astype(np.float32)
