"""Sound stretched along a speed curve, its pitch kept, in constant memory and with no drift.

The sound is made in pieces of 0.1 to 1 s of output, each stretched by one factor by Signalsmith Stretch (MIT; Geraint Luff,
"Four Ways to Write a Pitch-Shifter", ADC 2022) with some context on both sides, and cross-faded into the one before where the two waves
fit best, as in WSOLA (Verhelst and Roelands, ICASSP 1993). Where each piece comes from is read off the exact clock, so errors never
add up: a piece is off by at most 5 ms for the fit and 2 ms for having one factor while the curve bends.

Why pieces: `process` of python-stretch 0.3 starts afresh with every call, so feeding it block by block clicks at every seam
(measured: of a 440 Hz tone in 10 ms blocks at 1.5x, 9 % of the energy is left at 440 Hz; in these pieces 99.9999 %). The
rubberband filter of ffmpeg with a changing tempo was off by up to 19 to 35 ms over 15 minutes. Windows of 85 ms, instead of the
library's 120 ms, keep attacks within 3 ms of their place on a strongly bent curve (70 ms: 6 ms) and leave low tones whole (99.95 % of a
110 Hz tone's energy at 0.3x; 70 ms: 83 %).
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from python_stretch import Signalsmith

from services.speed_ramp.curve.clock import Clock
from shared.video import AudioBlock

Samples = NDArray[np.float32]

_WINDOW_S = 0.085
_FADE_S = 0.03
_SHIFT_S = 0.005
_PIECES_S = (1.0, 0.7, 0.5, 0.35, 0.25, 0.2, 0.16, 0.13, 0.1)
_BEND_S = 0.002
_CONTEXT_S = 0.035  # 0.05 is as clean, 0.02 is not
_MOST_SOURCE_S = 4.0
_PLAIN = 1e-9  # a factor this near to 1 is a copy


class Source:
    """Random access, going forward, to a track that comes in blocks: silence before it, in its gaps and after it.

    `start`: nothing before that sample is asked for, or else it is silent.
    """

    def __init__(self, blocks: Iterable[AudioBlock], *, channels: int, sample_rate: int, start: int = 0) -> None:
        self._blocks = iter(blocks)
        self._rate = sample_rate
        self._held: Samples = np.zeros((channels, 0), np.float32)
        self._first = start
        self._next: AudioBlock | None = None

    def read(self, start: int, end: int) -> Samples:
        """Samples `start` to `end` (counted from time 0; may be negative), float32 (channels, end - start).

        What lies before `start` is forgotten, up to the longest piece.
        """
        self._fill(end)
        picked = np.zeros((self._held.shape[0], end - start), np.float32)
        low, high = max(start, self._first), min(end, self._first + self._held.shape[1])
        if low < high:
            picked[:, low - start : high - start] = self._held[:, low - self._first : high - self._first]
        self._forget(start - round(0.5 * self._rate))
        return picked

    def _fill(self, end: int) -> None:
        parts, length = [self._held], self._first + self._held.shape[1]
        while length < end:
            block = self._next or next(self._blocks, None)
            if block is None:
                break
            at = max(round(block.start * self._rate), length)
            # A long gap is passed over bit by bit: it must not be held as a whole.
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
        count = min(max(before - self._first, 0), self._held.shape[1])
        self._held, self._first = self._held[:, count:], self._first + count


class Stretched:
    """A track along a curve: `read` hands out its samples from output time 0 on."""

    def __init__(self, source: Source, clock: Clock, *, channels: int, sample_rate: int) -> None:
        self._source, self._clock, self._rate = source, clock, sample_rate
        # A seed makes the same input give the same output.
        self._stretch = Signalsmith.Stretch(1)
        window = max(round(_WINDOW_S * sample_rate), 64)
        self._stretch.configure(channels, window, window // 4)
        self._fade, self._shift = round(_FADE_S * sample_rate), round(_SHIFT_S * sample_rate)
        self._ramp = np.linspace(0, 1, self._fade, dtype=np.float32)
        self._made = 0
        self._given = 0
        self._ready: Samples = np.zeros((channels, 0), np.float32)
        self._tail: Samples | None = None
        self._jumps = np.round(clock.jumps() * sample_rate).astype(np.int64)

    def read(self, until: int) -> Iterator[Samples]:
        """The samples from where the last call ended up to output sample `until`, in pieces, float32 (channels, n)."""
        while self._given < until:
            if not self._ready.shape[1]:
                self._ready = self._piece()
            part = self._ready[:, : until - self._given]
            self._ready = self._ready[:, part.shape[1] :]
            self._given += part.shape[1]
            yield part

    def _piece(self) -> Samples:
        """The next piece, cross-faded with the tail of the one before."""
        start, fade = self._made, self._fade
        length = self._length(start)
        first, last = (float(t) * self._rate for t in self._clock.source([start / self._rate, (start + length + fade) / self._rate]))
        factor = (last - first) / (length + fade)
        if abs(factor - 1) < _PLAIN:
            # The source's own samples; the fraction of a sample is kept as an offset so that a long copy stays in place.
            wave, at = self._source.read(round(first) - self._shift, round(first) + length + fade + self._shift), self._shift
        else:
            context = round(_CONTEXT_S * self._rate * (1 + factor)) + round(self._shift * factor)
            low, high = int(first) - context, int(last) + context
            wave = self._stretched(self._source.read(low, high), factor)
            at = round((first - low) / factor)
        if self._tail is not None:
            at += self._fit(wave[:, at - self._shift : at + self._shift + fade])
        piece = np.array(wave[:, at : at + length])
        if self._tail is not None:
            piece[:, :fade] = self._tail * (1 - self._ramp) + piece[:, :fade] * self._ramp
        self._tail = np.array(wave[:, at + length : at + length + fade])
        self._made += length
        return piece

    def _stretched(self, wave: Samples, factor: float) -> Samples:
        if not wave.any():
            return np.zeros((wave.shape[0], math.ceil(wave.shape[1] / factor) + 1), np.float32)
        self._stretch.setTimeFactor(factor)
        return np.asarray(self._stretch.process(wave))

    def _length(self, start: int) -> int:
        """Samples of the longest piece over which one factor stays true to the curve."""
        for seconds in _PIECES_S:
            out = start / self._rate + np.linspace(0, seconds + _FADE_S, 9)
            source = self._clock.source(out)
            straight = np.linspace(source[0], source[-1], 9)
            off = np.abs(source - straight) / self._clock.speed(source)
            if source[-1] - source[0] <= _MOST_SOURCE_S and float(off.max()) <= _BEND_S:
                return self._up_to_jump(start, round(seconds * self._rate))
        return self._up_to_jump(start, round(_PIECES_S[-1] * self._rate))

    def _up_to_jump(self, start: int, length: int) -> int:
        """`length`, or what ends the piece where the speed jumps, in or shortly after it."""
        ahead = self._jumps[np.searchsorted(self._jumps, start + self._fade) :]
        return int(ahead[0]) - start if len(ahead) and ahead[0] < start + length + self._fade else length

    def _fit(self, candidates: Samples) -> int:
        """How far, in samples, to shift the piece so that it goes on where the tail ends: the peak of their normalised correlation."""
        assert self._tail is not None
        tail, wave = self._tail.sum(axis=0, dtype=np.float64), candidates.sum(axis=0, dtype=np.float64)
        energy = np.correlate(wave**2, np.ones(self._fade), mode="valid")
        likeness = np.correlate(wave, tail, mode="valid") / np.sqrt(energy * (tail @ tail) + 1e-9)
        # Where it makes no difference, as in silence and noise, the true place is best.
        away = np.abs(np.arange(-self._shift, self._shift + 1)) / max(self._shift, 1)
        return int(np.argmax(likeness - 0.05 * away)) - self._shift
