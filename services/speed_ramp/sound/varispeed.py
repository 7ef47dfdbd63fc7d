"""Sound whose pitch follows the speed, as a tape's does: resampled at the very moments that the clock gives.

Each output sample is a windowed sinc over the source around its moment (Julius O. Smith, "Digital Audio Resampling Home Page", CCRMA:
bandlimited interpolation at any point), 32 zero crossings to each side under a Kaiser window (beta 9: what folds back lies below -90 dB).
Where the clip plays fast the sinc is as much wider, so that what would fold back is taken out first. The width goes with the speed from
sample to sample, and the moments are exact, so nothing clicks and nothing drifts. Only where the speed jumps it goes over in 10 ms.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.sound.stretch import Samples, Source

_CROSSINGS = 32
_FINE = 512  # entries of the table to a zero crossing; between them it is linear
_BETA = 9.0
_PASSED = 0.97  # of the lower of the two Nyquist frequencies: the filter needs room to fall
_PIECE = 2048  # output samples made at once
_HALF_JUMP_S = 0.005
_MOST_TAPS = 1 << 21  # places of source samples looked at, at once


class Varispeed:
    """A track along a curve: `read` hands out its samples from output time 0 on. `clock` must not freeze."""

    def __init__(self, source: Source, clock: Clock, *, channels: int, sample_rate: int) -> None:
        self._source, self._clock, self._channels, self._rate = source, clock, channels, sample_rate
        self._given = 0
        self._table = _table()
        self._jumps = clock.jumps()
        before = clock.speed(clock.source(self._jumps - 1e-6))
        self._rises = clock.speed(clock.source(self._jumps + 1e-6)) - before

    def read(self, until: int) -> Iterator[Samples]:
        """The samples from where the last call ended up to output sample `until`, in pieces, float32 (channels, n)."""
        while self._given < until:
            numbers = np.arange(self._given, min(self._given + _PIECE, until))
            moments = self._moments(numbers / self._rate)
            # How far each moment is from a sample of the source, and how wide its sinc.
            places, wide = moments * self._rate, np.maximum(self._clock.speed(moments), 1.0) / _PASSED
            step = max(int(_MOST_TAPS / (2 * _CROSSINGS * float(wide.max()) + 2)), 1)
            pieces = [self._at(places[at : at + step], wide[at : at + step]) for at in range(0, len(places), step)]
            self._given += len(numbers)
            yield np.concatenate(pieces, axis=1)

    def _moments(self, out: NDArray[np.float64]) -> NDArray[np.float64]:
        """Source seconds at output seconds `out`, every kink rounded by the parabola that touches both its sides."""
        moments = self._clock.source(out)
        first, last = np.searchsorted(self._jumps, (out[0] - _HALF_JUMP_S, out[-1] + _HALF_JUMP_S))
        for jump, rise in zip(self._jumps[first:last], self._rises[first:last], strict=True):
            moments += rise * np.maximum(_HALF_JUMP_S - np.abs(out - jump), 0) ** 2 / (4 * _HALF_JUMP_S)
        return moments

    def _at(self, places: NDArray[np.float64], wide: NDArray[np.float64]) -> NDArray[np.float32]:
        """The sound at rising `places`, counted in source samples, each through a sinc that is `wide` times as wide."""
        reach = int(np.ceil(_CROSSINGS * float(wide.max()))) + 1
        nearest = np.floor(places).astype(np.int64)
        first = int(nearest[0]) - reach
        held = self._source.read(first, int(nearest[-1]) + reach + 1)
        taps = np.arange(-reach, reach + 1)
        away = np.abs((taps[None, :] - (places - nearest)[:, None]) / wide[:, None]) * _FINE
        entry = away.astype(np.int32)
        np.minimum(entry, len(self._table) - 2, out=entry)
        part = (away - entry).astype(np.float32)
        low = self._table[entry]
        weights = low + part * (self._table[entry + 1] - low)
        weights[away >= _CROSSINGS * _FINE] = 0
        weights /= wide[:, None].astype(np.float32)
        index = (nearest - first)[:, None] + taps[None, :]
        return np.stack([np.einsum("nk,nk->n", weights, channel[index]) for channel in held])


def _table() -> NDArray[np.float32]:
    """The windowed sinc from 0 to the last zero crossing and a little further, where it is 0."""
    x = np.arange(_CROSSINGS * _FINE + 1) / _FINE
    window = np.i0(_BETA * np.sqrt(np.maximum(1 - (x / _CROSSINGS) ** 2, 0))) / np.i0(_BETA)
    return np.append(np.sinc(x) * window, [0.0, 0.0]).astype(np.float32)
