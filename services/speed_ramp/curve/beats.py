"""When the beats of a clip's sound are, also where the tempo changes.

Onsets are rises of the loudness in bands of the spectrum; the tempo is what their autocorrelation says over some seconds, followed
through the clip by the cheapest path (Viterbi); the beats are the sequence that falls on strong onsets at that tempo (Ellis, "Beat Tracking
by Dynamic Programming", JNMR 2007), each then put on the onset next to it. Memory: some numbers for each 10 ms.

Own code on numpy, because the libraries that are maintained were measured and do not fit: they find beats in noise and in speech, take
loud hats between kicks for them, and are under the GPL (aubio) or add 0.3 GiB to a worker and 0.4 to its image (librosa). README.md has
the table.
"""

from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from shared.video import AudioBlock

Floats = NDArray[np.float64]

SAMPLE_RATE = 22050
"""Samples a second that beats are looked for in: what lies above 11 kHz tells nothing more."""

_HOP = 220  # samples: 10 ms
_STEP_S = _HOP / SAMPLE_RATE
_WINDOW = 1024
_BANDS = 24
_AT_ONCE = 256  # windows
_QUIET = 1e-4  # of full scale: steps of what is below count little
_SLOWEST, _FASTEST = 45.0, 240.0  # beats a minute
_USUAL, _OCTAVES = 120.0, 1.0  # people tap near this; how fast other tempos lose, as a Gaussian's width
_TEMPO_S, _TEMPO_EVERY_S = 6.0, 1.0
_SHORTEST_S = 3.0  # of sound: two of the slowest beats, and what they are compared with
_TEMPO_CHANGE = 12.0  # what a change of tempo by an octave from second to second costs, next to a likeness of at most 1
_TIGHT = 100.0  # what a distance between two beats of e times the tempo's costs, next to an onset's mean strength
_PLACE_S = 0.06  # how far from the even sequence the onset of a beat may lie
_LATE_S = 0.009  # a click shows most when the window holds so much of what comes after it
_ALIKE = 0.25  # likeness from beat to beat below which there is none: noise and scattered sounds stay below, loosely played music has 0.4
_HEARD = 0.3  # of the median beat's strength: before and after, weaker ones are silence


def beats(blocks: Iterable[AudioBlock]) -> list[float]:
    """Seconds of the beats in the sound of `blocks` (at SAMPLE_RATE, any channels), rising; none if nothing in it has a beat.

    A beat is within 10 ms of a click that is heard alone.
    """
    strength, start = _onsets(blocks)
    if len(strength) * _STEP_S < _SHORTEST_S or not strength.any():
        return []
    even = _levelled(strength)
    periods, likeness = _tempo(even)
    places = [place for place in _sequence(even, periods) if likeness[place] > _ALIKE]
    return [float(start + _LATE_S + _on_onset(strength, place) * _STEP_S) for place in _heard(even, places)]


def _onsets(blocks: Iterable[AudioBlock]) -> tuple[Floats, float]:
    """How much louder it gets, every 10 ms, and the second of the first value."""
    edges = np.unique(np.geomspace(2, _WINDOW // 2, _BANDS + 1).astype(int))
    window = np.hanning(_WINDOW)
    made, last, start = array("f"), None, 0.0
    for samples, second in _runs(blocks):
        start = second if last is None else start
        frames = sliding_window_view(samples, _WINDOW)[::_HOP]
        power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
        # Loudness as the ear has it: in each band the logarithm, which quiet noise cannot move.
        loud = np.log1p(np.add.reduceat(power, edges[:-1], axis=1) / (_QUIET * _WINDOW) ** 2)
        before = loud[:1] if last is None else last
        made.extend(np.maximum(np.diff(loud, axis=0, prepend=before), 0).mean(axis=1))
        last = loud[-1:]
    return np.array(made, np.float64), start + _WINDOW / 2 / SAMPLE_RATE


def _runs(blocks: Iterable[AudioBlock]) -> Iterator[tuple[NDArray[np.float32], float]]:
    """The sound in mono, in overlapping pieces of whole windows without holes, and the second of each piece's first sample."""
    held, first, length = np.zeros(0, np.float32), None, _WINDOW + (_AT_ONCE - 1) * _HOP
    for block in blocks:
        if first is None:
            first = round(block.start * SAMPLE_RATE)
        gap = round(block.start * SAMPLE_RATE) - first - len(held)
        for part in (np.zeros(max(gap, 0), np.float32), block.samples.mean(axis=0)):
            held = np.concatenate([held, part])
            while len(held) >= length:
                yield held[:length], first / SAMPLE_RATE
                held, first = held[_AT_ONCE * _HOP :], first + _AT_ONCE * _HOP
    if first is not None:
        rest = np.concatenate([held, np.zeros(_WINDOW, np.float32)])
        yield rest, first / SAMPLE_RATE


def _levelled(strength: Floats) -> Floats:
    """Onsets next to what is usual around them, so that quiet music counts as loud music does."""
    smooth = _blurred(strength, 0.02 / _STEP_S)
    mean = _blurred(smooth, 0.5 / _STEP_S)
    spread = np.sqrt(_blurred((smooth - mean) ** 2, 3 / _STEP_S))
    # Silence is not to be blown up: what is a hundredth of the clip's own spread is that.
    return np.maximum(smooth - mean, 0) / (spread + 0.02 * float(smooth.std()) + 1e-12)


def _tempo(even: Floats) -> tuple[Floats, Floats]:
    """Steps from beat to beat, for every step, along the likeliest path of tempos, and how like itself the sound is at that distance."""
    lags = np.arange(round(60 / _FASTEST / _STEP_S), round(60 / _SLOWEST / _STEP_S) + 1)
    length, every = min(round(_TEMPO_S / _STEP_S), len(even)), round(_TEMPO_EVERY_S / _STEP_S)
    centres = np.arange(0, len(even), every)
    starts = np.clip(centres - length // 2, 0, len(even) - length)
    alike = np.stack([_likeness(even[start : start + length], lags) for start in starts])
    octaves = np.log2(lags)
    likely = alike * np.exp(-0.5 * ((octaves - np.log2(60 / _USUAL / _STEP_S)) / _OCTAVES) ** 2)
    change = _TEMPO_CHANGE * np.abs(octaves[:, None] - octaves[None, :])
    score, came = likely[0], np.zeros(likely.shape, np.int64)
    for i in range(1, len(likely)):
        ways = score[None, :] - change
        came[i] = ways.argmax(axis=1)
        score = ways.max(axis=1) + likely[i]
    path = np.empty(len(likely), np.int64)
    path[-1] = score.argmax()
    for i in range(len(likely) - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    steps = np.arange(len(even))
    return np.interp(steps, centres, lags[path]), np.interp(steps, centres, alike[np.arange(len(path)), path])


def _likeness(part: Floats, lags: NDArray[np.int64]) -> Floats:
    """How like itself a part is when moved by each of `lags`, and by as much again, 0 to 1."""
    spectrum = np.fft.rfft(part - part.mean(), 2 * len(part))
    alike = np.fft.irfft(np.abs(spectrum) ** 2)[: len(part)] / np.arange(len(part), 0, -1)
    alike /= alike[0] or 1.0
    return np.maximum((alike[lags] + 0.5 * alike[np.minimum(2 * lags, len(part) - 1)]) / 1.5, 0)


def _sequence(even: Floats, periods: Floats) -> list[int]:
    """The steps at which the sequence of beats that pays best falls."""
    score, before = even.copy(), np.full(len(even), -1)
    longest = int(2 * periods.max())
    logs = np.log(np.arange(1, longest + 1))
    weight = float(even[even > 0].mean())
    for place in range(int(periods.min() / 2), len(even)):
        period = periods[place]
        near, far = max(int(period / 2), 1), min(int(2 * period), place)
        if far < near:
            continue
        # From the nearest to the farthest.
        past = score[place - far : place - near + 1][::-1]
        ways = past - _TIGHT * weight * (logs[near - 1 : far] - np.log(period)) ** 2
        best = int(ways.argmax())
        if ways[best] > 0:
            score[place] += ways[best]
            before[place] = place - near - best
    place = int(len(score) - 1 - score[::-1][: int(2 * periods[-1])].argmax())
    places: list[int] = []
    while place >= 0:
        places.append(place)
        place = int(before[place])
    return places[::-1]


def _heard(even: Floats, places: list[int]) -> list[int]:
    """The beats without those in the silence before the first and after the last onset."""
    if not places:
        return []
    reach = round(_PLACE_S / _STEP_S)
    near = np.array([even[max(place - reach, 0) : place + reach + 1].max() for place in places])
    loud = np.flatnonzero(near > _HEARD * float(np.median(near)))
    return places[loud[0] : loud[-1] + 1] if len(loud) else []


def _on_onset(strength: Floats, place: int) -> float:
    """The strongest onset near a beat, between two steps by the parabola through it; the beat itself where there is none."""
    reach = round(_PLACE_S / _STEP_S)
    low = max(place - reach, 1)
    near = strength[low : place + reach + 1]
    peak = low + int(near.argmax()) if len(near) else place
    if peak + 1 >= len(strength) or strength[peak] < 2 * float(np.median(near)):
        return float(place)
    a, b, c = strength[peak - 1 : peak + 2]
    bend = a - 2 * b + c
    return peak + (0.5 * (a - c) / bend if bend < 0 else 0.0)


def _blurred(values: Floats, sigma: float) -> Floats:
    reach = min(int(3 * sigma) + 1, max(len(values) - 1, 1))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.pad(values, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
