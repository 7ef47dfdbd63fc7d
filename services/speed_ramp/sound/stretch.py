"""Time stretching of sound along a speed curve, keeping its pitch.

Works in constant memory and without drift. The output is made in pieces of 0.1 to 1 s. Each piece is stretched by one factor with
Signalsmith Stretch (MIT; Geraint Luff, "Four Ways to Write a Pitch-Shifter", ADC 2022), with some context on both sides, and cross-faded
into the previous piece where both waves fit best, as in WSOLA (Verhelst and Roelands, ICASSP 1993). The exact clock gives the source
position of each piece, so errors never add up: a piece is off by at most 5 ms for the fit and 4 ms for using one factor while the curve
bends.

Why pieces: `process` of python-stretch 0.3 starts afresh with every call, so short blocks click at every seam (measured: of a 440 Hz tone
in 10 ms blocks at 1.5x, 9 % of the energy is left at 440 Hz; in these pieces 99.9999 %). The rubberband filter of ffmpeg with a changing
tempo drifted by 19 to 35 ms over 15 minutes. Windows of 85 ms, instead of the library's 120 ms, keep attacks within 3 ms of their place on
a strongly bent curve (70 ms: 6 ms) and preserve low tones (99.95 % of a 110 Hz tone's energy at 0.3x; 70 ms: 83 %).
"""

import math
from collections.abc import Iterator

import numpy as np

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.sound.source import Samples, Source
from shared.errors import Unavailable

_WINDOW_S = 0.085  # length of the stretcher's windows, in seconds
_FADE_S = 0.03  # length of the cross-fade between two pieces, in seconds
_SHIFT_S = 0.005  # largest shift of a piece for a better fit to the previous one, in seconds
_PIECES_S = (1.0, 0.7, 0.5, 0.35, 0.25, 0.2, 0.16, 0.13, 0.1)  # lengths of pieces that are tried in turn, in seconds
_BEND_S = 0.004  # largest error, in output seconds, of a piece with one stretch factor instead of the curve
_CONTEXT_S = 0.035  # seconds of sound around a piece that are stretched with it; 0.05 sounds as clean, 0.02 does not
_MAX_SOURCE_S = 4.0  # maximum length of a piece, in source seconds
_UNCHANGED = 1e-9  # difference of a factor from 1 below which samples are copied


class StretchedTrack:
    """An audio track stretched along a curve at its original pitch.

    `clock` must not freeze.
    """

    def __init__(self, source: Source, clock: Clock) -> None:
        """Prepare to stretch `source`. Raises Unavailable on a machine without python-stretch."""
        try:
            from python_stretch import Signalsmith
        except ImportError:
            detail = "Sound cannot be stretched here: python-stretch is not installed, and has no package for Linux on arm64."
            raise Unavailable(f"{detail} Choose audio follow or drop.") from None
        self._source, self._clock, self._rate = source, clock, source.sample_rate
        # A fixed seed makes equal inputs give equal outputs.
        self._stretch = Signalsmith.Stretch(1)
        window = max(round(_WINDOW_S * self._rate), 64)
        self._stretch.configure(source.channels, window, window // 4)
        self._fade, self._shift = round(_FADE_S * self._rate), round(_SHIFT_S * self._rate)
        self._ramp = np.linspace(0, 1, self._fade, dtype=np.float32)
        self._position = 0
        self._read = 0
        self._ready: Samples = np.zeros((source.channels, 0), np.float32)
        self._tail: Samples | None = None
        self._jumps = np.round(clock.jumps() * self._rate).astype(np.int64)

    def read(self, until: int) -> Iterator[Samples]:
        """Yield the next samples, up to but not including output sample `until`.

        Samples continue the last call; float32 (channels, n) each.
        """
        while self._read < until:
            if not self._ready.shape[1]:
                self._ready = self._piece()
            part = self._ready[:, : until - self._read]
            self._ready = self._ready[:, part.shape[1] :]
            self._read += part.shape[1]
            yield part

    def _piece(self) -> Samples:
        """Return the next piece, cross-faded with the previous piece."""
        start, fade = self._position, self._fade
        length = self._length(start)
        first, last = (float(t) * self._rate for t in self._clock.source([start / self._rate, (start + length + fade) / self._rate]))
        factor = (last - first) / (length + fade)
        if abs(factor - 1) < _UNCHANGED:
            # Copy from the nearest whole sample. The clock places each piece, so rounding does not add up.
            wave, at = self._source.read(round(first) - self._shift, round(first) + length + fade + self._shift), self._shift
        else:
            context = round(_CONTEXT_S * self._rate * (1 + factor)) + round(self._shift * factor)
            low, high = int(first) - context, int(last) + context
            wave = self._stretched(self._source.read(low, high), factor)
            at = round((first - low) / factor)
        if self._tail is not None:
            at += self._fit(self._tail, wave[:, at - self._shift : at + self._shift + fade])
        piece = np.array(wave[:, at : at + length])
        if self._tail is not None:
            piece[:, :fade] = self._tail * (1 - self._ramp) + piece[:, :fade] * self._ramp
        self._tail = np.array(wave[:, at + length : at + length + fade])
        self._position += length
        return piece

    def _stretched(self, wave: Samples, factor: float) -> Samples:
        """Stretch a piece to 1/`factor` of its length."""
        if not wave.any():
            return np.zeros((wave.shape[0], math.ceil(wave.shape[1] / factor) + 1), np.float32)
        self._stretch.setTimeFactor(factor)
        return np.asarray(self._stretch.process(wave))

    def _length(self, start: int) -> int:
        """Return the length of the longest piece from `start` that one stretch factor fits.

        The length is in samples. Over this length, one stretch factor follows the curve closely enough.
        """
        for seconds in _PIECES_S:
            out = start / self._rate + np.linspace(0, seconds + _FADE_S, 9)
            source = self._clock.source(out)
            straight = np.linspace(source[0], source[-1], 9)
            deviations = np.abs(source - straight) / self._clock.speed(source)
            if source[-1] - source[0] <= _MAX_SOURCE_S and float(deviations.max()) <= _BEND_S:
                return self._up_to_jump(start, round(seconds * self._rate))
        return self._up_to_jump(start, round(_PIECES_S[-1] * self._rate))

    def _up_to_jump(self, start: int, length: int) -> int:
        """Change a piece's `length` so that the piece ends where the speed jumps.

        Returns `length` unchanged if there is no jump in the piece or shortly after it.
        """
        ahead = self._jumps[np.searchsorted(self._jumps, start + self._fade) :]
        return int(ahead[0]) - start if len(ahead) and ahead[0] < start + length + self._fade else length

    def _fit(self, tail: Samples, candidates: Samples) -> int:
        """Return the shift in samples at which `candidates` best continues `tail`.

        The shift is the peak of the normalised correlation.
        """
        end, wave = tail.sum(axis=0, dtype=np.float64), candidates.sum(axis=0, dtype=np.float64)
        energy = np.correlate(wave**2, np.ones(self._fade), mode="valid")
        correlation = np.correlate(wave, end, mode="valid") / np.sqrt(energy * (end @ end) + 1e-9)
        # A small penalty for the shift: where all shifts fit alike, as in silence and noise, the unshifted position wins.
        distance = np.abs(np.arange(-self._shift, self._shift + 1)) / max(self._shift, 1)
        return int(np.argmax(correlation - 0.05 * distance)) - self._shift
