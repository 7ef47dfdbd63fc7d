"""Resampling of sound along a speed curve, with changing pitch.

Tape players sound like that. The clock gives the exact source moment of each output sample. A windowed sinc interpolates the source there
(Julius O. Smith, "Digital Audio Resampling Home Page", CCRMA: bandlimited interpolation), with 32 zero crossings on each side and a Kaiser
window (beta 9: aliasing is below -90 dB). Where the clip plays fast, the sinc is wider in proportion, which removes the frequencies that
would alias. The width follows the speed from sample to sample, so the sound neither clicks nor drifts. Jumps of the speed are spread over
10 ms.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.sound.source import Samples, Source

_CROSSINGS = 32  # zero crossings of the sinc on each side
_ENTRIES = 512  # table entries per zero crossing; linear interpolation between them
_BETA = 9.0  # shape of the Kaiser window
_PASSBAND = 0.97  # highest frequency kept, as a share of the lower Nyquist frequency: the filter needs room to fall off
_PIECE = 2048  # output samples per step
_HALF_JUMP_S = 0.005  # seconds before, and after, a jump of the speed over which the jump is spread
_MAX_TAPS = 1 << 21  # maximum number of filter taps per step, which limits memory


class Varispeed:
    """An audio track resampled along a curve; its pitch follows the speed.

    `clock` must not freeze.
    """

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source, self._clock, self._rate = source, clock, source.sample_rate
        self._read = 0
        self._table = _table()
        self._jumps = clock.jumps()
        before = clock.speed(clock.source(self._jumps - 1e-6))
        self._rises = clock.speed(clock.source(self._jumps + 1e-6)) - before

    def read(self, until: int) -> Iterator[Samples]:
        """Yield the next samples, up to but not including output sample `until`.

        Samples continue the last call; float32 (channels, n) each.
        """
        while self._read < until:
            numbers = np.arange(self._read, min(self._read + _PIECE, until))
            moments = self._moments(numbers / self._rate)
            places, widths = moments * self._rate, np.maximum(self._clock.speed(moments), 1.0) / _PASSBAND
            step = max(int(_MAX_TAPS / (2 * _CROSSINGS * float(widths.max()) + 2)), 1)
            pieces = [self._interpolate(places[at : at + step], widths[at : at + step]) for at in range(0, len(places), step)]
            self._read += len(numbers)
            yield np.concatenate(pieces, axis=1)

    def _moments(self, out: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the source time at each output time, in seconds.

        A parabola replaces the kink at each jump of the speed.
        """
        moments = self._clock.source(out)
        first, last = np.searchsorted(self._jumps, (out[0] - _HALF_JUMP_S, out[-1] + _HALF_JUMP_S))
        for jump, rise in zip(self._jumps[first:last], self._rises[first:last], strict=True):
            moments += rise * np.maximum(_HALF_JUMP_S - np.abs(out - jump), 0) ** 2 / (4 * _HALF_JUMP_S)
        return moments

    def _interpolate(self, places: NDArray[np.float64], widths: NDArray[np.float64]) -> NDArray[np.float32]:
        """Interpolate the sound at `places` with a windowed sinc.

        `places`: positions in source samples, rising. `widths`: width of the sinc at each place, 1 or more.
        """
        reach = int(np.ceil(_CROSSINGS * float(widths.max()))) + 1
        nearest = np.floor(places).astype(np.int64)
        first = int(nearest[0]) - reach
        samples = self._source.read(first, int(nearest[-1]) + reach + 1)
        taps = np.arange(-reach, reach + 1)
        position = np.abs((taps[None, :] - (places - nearest)[:, None]) / widths[:, None]) * _ENTRIES
        entry = position.astype(np.int32)
        np.minimum(entry, len(self._table) - 2, out=entry)
        fraction = (position - entry).astype(np.float32)
        low = self._table[entry]
        weights = low + fraction * (self._table[entry + 1] - low)
        weights[position >= _CROSSINGS * _ENTRIES] = 0
        weights /= widths[:, None].astype(np.float32)
        index = (nearest - first)[:, None] + taps[None, :]
        return np.stack([np.einsum("nk,nk->n", weights, channel[index]) for channel in samples])


def _table() -> NDArray[np.float32]:
    """Return a windowed sinc, from 0 to its last zero crossing.

    Two zeros follow, so that values at the end can be interpolated.
    """
    x = np.arange(_CROSSINGS * _ENTRIES + 1) / _ENTRIES
    window = np.i0(_BETA * np.sqrt(np.maximum(1 - (x / _CROSSINGS) ** 2, 0))) / np.i0(_BETA)
    return np.append(np.sinc(x) * window, [0.0, 0.0]).astype(np.float32)
