"""Beat tracking in a clip's sound, with changing tempo.

1. Onset strength: the rise of loudness in bands of the spectrum, every 10 ms.
2. Tempo: the autocorrelation of the onset strength over some seconds, tracked through the clip by the cheapest path (Viterbi).
3. Beats: the sequence that falls on strong onsets at that tempo (Ellis, "Beat Tracking by Dynamic Programming", JNMR 2007). Each beat is
   then moved to the strongest onset nearby.

Memory: a few numbers for each 10 ms. Own code, because the maintained libraries did not fit when measured: they find beats in noise and in
speech, mistake loud hats between kicks for beats, and are under the GPL (aubio) or add 0.3 GiB to a worker and 0.4 GiB to its image
(librosa). README.md has the table.
"""

from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from shared.video import AudioBlock

Floats = NDArray[np.float64]

SAMPLE_RATE = 22050
"""Sample rate in Hz of the sound for beat tracking. Frequencies above 11 kHz add nothing."""

_HOP = 220  # samples in a step of 10 ms
_STEP_S = _HOP / SAMPLE_RATE
_WINDOW = 1024  # samples whose spectrum is computed at each step
_BANDS = 24  # bands of the spectrum whose loudness is measured
_BATCH = 256  # windows per Fourier transform
_QUIET = 1e-4  # level, as a share of full scale, below which a rise of loudness counts little
_SLOWEST, _FASTEST = 45.0, 240.0  # range of tempos, in beats per minute
_USUAL, _OCTAVES = 120.0, 1.0  # preferred tempo in beats per minute, and the width in octaves of the Gaussian that weighs other tempos
_TEMPO_S, _TEMPO_EVERY_S = 6.0, 1.0  # seconds of sound in which a tempo is measured, and seconds between two measurements
_SHORTEST_S = 3.0  # shortest sound with a tempo, in seconds: it holds two of the slowest beats, which can be compared
_TEMPO_CHANGE = 12.0  # cost of changing the tempo by an octave within a second; the self-similarity at a tempo gains at most 1
_TIGHT = 100.0  # cost, in multiples of the mean onset strength, of a beat interval e times as long as the tempo's
_SEARCH_S = 0.06  # largest distance, in seconds, by which a beat is moved to an onset
_LATE_S = 0.009  # delay of a click, in seconds, after the middle of the window with its highest onset strength
_SELF_SIMILAR = 0.25  # minimum self-similarity at a beat: noise and scattered sounds have less, loosely played music has 0.4
_AUDIBLE = 0.3  # minimum strength of the first and the last beat, relative to the median beat; weaker beats at the ends are dropped


def beats(blocks: Iterable[AudioBlock]) -> list[float]:
    """Find the beats of a sound; return their times in seconds, ascending.

    `blocks`: the sound at SAMPLE_RATE, with any number of channels. The list is empty if the sound has no beat. Times of isolated clicks
    are accurate to 10 ms.
    """
    strength, start = _onsets(blocks)
    if len(strength) * _STEP_S < _SHORTEST_S or not strength.any():
        return []
    level = _levelled(strength)
    periods, similarity = _tempo(level)
    places = [place for place in _sequence(level, periods) if similarity[place] > _SELF_SIMILAR]
    return [float(start + _LATE_S + _strongest_onset(strength, place) * _STEP_S) for place in _audible(level, places)]


def _onsets(blocks: Iterable[AudioBlock]) -> tuple[Floats, float]:
    """Return the onset strength every 10 ms, and the first time in seconds."""
    edges = np.unique(np.geomspace(2, _WINDOW // 2, _BANDS + 1).astype(int))
    window = np.hanning(_WINDOW)
    strength, last, start = array("f"), None, 0.0
    for samples, second in _runs(blocks):
        start = second if last is None else start
        frames = sliding_window_view(samples, _WINDOW)[::_HOP]
        power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
        # Perceived loudness: the logarithm of the power in each band. Adding 1 keeps quiet noise from changing it.
        loud = np.log1p(np.add.reduceat(power, edges[:-1], axis=1) / (_QUIET * _WINDOW) ** 2)
        before = loud[:1] if last is None else last
        strength.extend(np.maximum(np.diff(loud, axis=0, prepend=before), 0).mean(axis=1))
        last = loud[-1:]
    return np.array(strength, np.float64), start + _WINDOW / 2 / SAMPLE_RATE


def _runs(blocks: Iterable[AudioBlock]) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Yield mono sound in overlapping blocks, each with its start in seconds.

    Gaps are filled with silence.
    """
    held, first, length = np.zeros(0, np.float32), None, _WINDOW + (_BATCH - 1) * _HOP
    for block in blocks:
        if first is None:
            first = round(block.start * SAMPLE_RATE)
        gap = round(block.start * SAMPLE_RATE) - first - len(held)
        for part in (np.zeros(max(gap, 0), np.float32), block.samples.mean(axis=0)):
            held = np.concatenate([held, part])
            while len(held) >= length:
                yield held[:length], first / SAMPLE_RATE
                held, first = held[_BATCH * _HOP :], first + _BATCH * _HOP
    if first is not None:
        rest = np.concatenate([held, np.zeros(_WINDOW, np.float32)])
        yield rest, first / SAMPLE_RATE


def _levelled(strength: Floats) -> Floats:
    """Normalize onset strength by its local spread.

    This makes quiet music count as much as loud music.
    """
    smooth = _blurred(strength, 0.02 / _STEP_S)
    mean = _blurred(smooth, 0.5 / _STEP_S)
    spread = np.sqrt(_blurred((smooth - mean) ** 2, 3 / _STEP_S))
    # The share of the clip's overall spread keeps silence from being amplified.
    return np.maximum(smooth - mean, 0) / (spread + 0.02 * float(smooth.std()) + 1e-12)


def _tempo(level: Floats) -> tuple[Floats, Floats]:
    """Track the beat interval through the clip.

    Returns, for every step, the steps from beat to beat, and the self-similarity (0 to 1) at that distance.
    """
    lags = np.arange(round(60 / _FASTEST / _STEP_S), round(60 / _SLOWEST / _STEP_S) + 1)
    length, step = min(round(_TEMPO_S / _STEP_S), len(level)), round(_TEMPO_EVERY_S / _STEP_S)
    centres = np.arange(0, len(level), step)
    starts = np.clip(centres - length // 2, 0, len(level) - length)
    similarity = np.stack([_self_similarity(level[start : start + length], lags) for start in starts])
    octaves = np.log2(lags)
    gain = similarity * np.exp(-0.5 * ((octaves - np.log2(60 / _USUAL / _STEP_S)) / _OCTAVES) ** 2)
    change = _TEMPO_CHANGE * np.abs(octaves[:, None] - octaves[None, :])
    score, previous = gain[0], np.zeros(gain.shape, np.int64)
    for i in range(1, len(gain)):
        options = score[None, :] - change
        previous[i] = options.argmax(axis=1)
        score = options.max(axis=1) + gain[i]
    path = np.empty(len(gain), np.int64)
    path[-1] = score.argmax()
    for i in range(len(gain) - 1, 0, -1):
        path[i - 1] = previous[i, path[i]]
    steps = np.arange(len(level))
    return np.interp(steps, centres, lags[path]), np.interp(steps, centres, similarity[np.arange(len(path)), path])


def _self_similarity(part: Floats, lags: NDArray[np.int64]) -> Floats:
    """Return the self-similarity (0 to 1) of onset strength at each of `lags`.

    It is the autocorrelation at the lag, averaged with that at twice the lag.
    """
    spectrum = np.fft.rfft(part - part.mean(), 2 * len(part))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(part)] / np.arange(len(part), 0, -1)
    correlation /= correlation[0] or 1.0
    return np.maximum((correlation[lags] + 0.5 * correlation[np.minimum(2 * lags, len(part) - 1)]) / 1.5, 0)


def _sequence(level: Floats, periods: Floats) -> list[int]:
    """Return the best-scoring sequence of beats, as numbers of 10 ms steps.

    Good sequences have strong onsets (`level`) at distances near `periods`.
    """
    score, before = level.copy(), np.full(len(level), -1)
    longest = int(2 * periods.max())
    logs = np.log(np.arange(1, longest + 1))
    weight = float(level[level > 0].mean())
    for place in range(int(periods.min() / 2), len(level)):
        period = periods[place]
        near, far = max(int(period / 2), 1), min(int(2 * period), place)
        if far < near:
            continue
        # From the nearest earlier step to the farthest.
        past = score[place - far : place - near + 1][::-1]
        options = past - _TIGHT * weight * (logs[near - 1 : far] - np.log(period)) ** 2
        best = int(options.argmax())
        if options[best] > 0:
            score[place] += options[best]
            before[place] = place - near - best
    place = int(len(score) - 1 - score[::-1][: int(2 * periods[-1])].argmax())
    places: list[int] = []
    while place >= 0:
        places.append(place)
        place = int(before[place])
    return places[::-1]


def _audible(level: Floats, places: list[int]) -> list[int]:
    """Drop beats in the silence at both ends.

    Silence is the time before the first and after the last onset.
    """
    if not places:
        return []
    reach = round(_SEARCH_S / _STEP_S)
    near = np.array([level[max(place - reach, 0) : place + reach + 1].max() for place in places])
    loud = np.flatnonzero(near > _AUDIBLE * float(np.median(near)))
    return places[loud[0] : loud[-1] + 1] if len(loud) else []


def _strongest_onset(strength: Floats, place: int) -> float:
    """Return the position of the strongest onset near step `place`, in steps.

    The position is interpolated by a parabola. Returns `place` if there is no onset.
    """
    reach = round(_SEARCH_S / _STEP_S)
    low = max(place - reach, 1)
    near = strength[low : place + reach + 1]
    peak = low + int(near.argmax()) if len(near) else place
    if peak + 1 >= len(strength) or strength[peak] < 2 * float(np.median(near)):
        return float(place)
    a, b, c = strength[peak - 1 : peak + 2]
    bend = a - 2 * b + c
    return peak + (0.5 * (a - c) / bend if bend < 0 else 0.0)


def _blurred(values: Floats, sigma: float) -> Floats:
    """Smooth `values` with a Gaussian of `sigma` steps."""
    reach = min(int(3 * sigma) + 1, max(len(values) - 1, 1))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.pad(values, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
