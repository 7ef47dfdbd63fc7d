"""Frame rates computed from the times of frames.

A step is the time from one frame to the next, in ticks: units of the file's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from shared.video.seconds import simplest

STANDARD_RATES = tuple(
    Fraction(rate)
    for rate in (
        *("10", "12", "25/2", "15", "20", "24000/1001", "24", "25", "30000/1001", "30", "48000/1001", "48", "50"),
        *("60000/1001", "60", "72", "75", "90", "100", "120000/1001", "120", "144", "240"),
    )
)
"""Rates that recorders, cameras and editing programs use."""

_DEFAULT = Fraction(25)
_SLOWEST = Fraction(9)
"""Rates below this, in fps, are lower than all standard rates. Such clips get 30 fps, a multiple of 1, 2, 3, 5 and 6."""
_FILLER = Fraction(30)
_CLOSE = Fraction(1, 25)
"""Largest relative difference at which a standard rate replaces a measured rate."""
_EXACT = Fraction(1, 5000)
"""Largest relative difference of two rates that count as equal."""
_COMMON = 0.25
"""Minimum frequency, relative to the commonest step, of a step that determines the rate."""
_WINDOW = 1.15
"""Ratio up to which two steps count as equal."""
_EVEN = 1.9
"""Largest ratio of long to short steps at which their mean determines the rate.

Long and short: the 95th and the 5th percentile.
"""
_SETTLED, _MOST = 0.005, 0.6
"""Limits that decide whether most steps have the same length.

At least the share _MOST of the steps differs from the median by at most the share _SETTLED of it.
"""
_PAUSE, _USUAL = 2.2, 0.9
"""Steps from _PAUSE times the median on are pauses. At least the share _USUAL of the steps is shorter where frames only scatter."""
_MOST_MULTIPLE = 8.5
"""Longest gap that is compared with multiples of a rate's step. In such steps."""
_TIE = 0.05
"""Rates whose errors differ by at most this, in ticks, fit equally well."""
_GRID, _LOOSE_GRID = 1.01, 1.51
"""Maximum range, in ticks, of the differences from evenly spaced times. MP4's times are rounded twice: _LOOSE_GRID."""
_FINE_TICKS = 1000
"""Length of a step, in ticks, that distinguishes 30 fps from 30000/1001."""
_LONG_FIRST_S = Fraction(1, 20)
"""Maximum excess, in seconds, of an ignored first step over the usual step."""
_FINEST_COUNT, _MILLISECOND = Fraction(1, 100), Fraction(1, 1000)
"""Length in seconds of a tick of GIF, and of a clock in milliseconds. Only clocks with longer ticks than GIF's may count pictures."""
_FEW = 4
"""Minimum number of frames for recognising the clock of a copied file's source."""
_REORDERED, _MANY = 3, 16
"""Number of steps to ignore at the end, where pictures may be missing.

Applies to more than _MANY steps. Of fewer steps, only the last is ignored.
"""


@dataclass(frozen=True, slots=True)
class FrameRates:
    """Average frame rate of a video, and the best rate for constant-rate output.

    `average`: exact where the rate is constant. `constant`: the rate for an output of constant rate; the average unless it varies.
    """

    average: Fraction
    constant: Fraction
    varies: bool


def frame_rates(
    times: Sequence[int], base: Fraction, stated: Fraction | None, breaks: Sequence[int] = (), *, counting: bool = False
) -> FrameRates:
    """Compute a video's frame rates from the times of its frames.

    `times`: rising, in units of `base` seconds. `stated`: the file's own rate, used where the times fit it or say nothing. `breaks`: places
    in `times` where a joined part begins; the steps before them do not count. `counting`: the container's clock counts pictures, and so
    rounds nothing, unless it is a clock of milliseconds.
    """
    ticked = base
    pts, base = _on_own_clock(np.asarray(times, np.int64), base)
    steps = np.delete(np.diff(pts), [place - 1 for place in breaks if 0 < place < len(pts)])
    positive = steps > 0
    steps = steps[positive]
    if not len(steps):
        rate = stated if stated and stated > 0 else _DEFAULT
        return FrameRates(simplest(rate), simplest(rate), varies=False)
    counted = _inner_steps(steps, [place - number for number, place in enumerate(sorted(breaks), 1)] if positive.all() else [])
    counting = counting and (base > _FINEST_COUNT or (base > _MILLISECOND and stated is not None and stated * base == 1))
    coarse = base >= _MILLISECOND and not counting
    even = _fitting(pts, base, stated, counted, _GRID if base == ticked else _LOOSE_GRID) if not breaks and coarse else None
    if even is not None:
        return FrameRates(even, even, varies=False)
    typical = int(np.median(counted))
    # Writers that move all other frames, because the sound begins earlier, lengthen the first one.
    if len(counted) > _MANY and 0 < (int(counted[0]) - typical) * base < _LONG_FIRST_S:
        counted = counted[1:]
    # If a tick is about as long as a picture, all steps must be equal: only the even spacing above tells rounding from a real change.
    uneven = (
        counting or base > _FINEST_COUNT or (base == _FINEST_COUNT and _grid_error(pts[:-1] - pts[0], float(counted.mean())) > _LOOSE_GRID)
    )
    if int(np.abs(counted - typical).max()) <= (0 if uneven else 2 if coarse else 1):
        rate = _even_rate(counted, base, stated)
        return FrameRates(rate, rate, varies=False)
    mean = Fraction(len(steps)) / (int(steps.sum()) * base)
    average = stated if stated and abs(stated / mean - 1) < Fraction(1, 100) else mean
    return FrameRates(simplest(_snapped(average, _EXACT)), _constant(steps, base, stated, coarse=coarse), varies=True)


def in_milliseconds(times: Sequence[int], base: Fraction) -> tuple[Sequence[int], Fraction]:
    """Convert times to a clock of milliseconds if they are whole milliseconds.

    Returns the times and their unit in seconds. APNG has finer ticks than WebP, but most programs write whole milliseconds into both.
    """
    scaled = [time * base * 1000 for time in times]
    whole = base < _MILLISECOND and all(time.denominator == 1 for time in scaled)
    return ([int(time) for time in scaled], _MILLISECOND) if whole else (times, base)


def standard_rate(rate: Fraction) -> Fraction:
    """Return the standard rate within 4 % of `rate`, or the next above.

    The next above is at most 240. Rates below 9 give 30.
    """
    if rate < _SLOWEST:
        return _FILLER
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard / rate - 1))
    if abs(nearest / rate - 1) <= _CLOSE:
        return nearest
    return next((standard for standard in STANDARD_RATES if standard > rate), STANDARD_RATES[-1])


def _on_own_clock(pts: NDArray[np.int64], base: Fraction) -> tuple[NDArray[np.int64], Fraction]:
    """Convert a copied file's times to the coarser clock of its source.

    `base`, the unit of the times, is converted, too. A file that was copied from Matroska or GIF into MP4 has finer ticks, but its times
    are still whole milliseconds or hundredths.
    """
    if len(pts) < _FEW:
        return pts, base
    ticks = int(np.gcd.reduce(np.diff(pts)))
    own = base * ticks
    if ticks > 1 and own in (Fraction(1, 1000), Fraction(1, 100)):
        return (pts - pts[0]) // ticks, own
    return pts, base


def _inner_steps(steps: NDArray[np.int64], ends: Sequence[int]) -> NDArray[np.int64]:
    """Drop the unreliable steps between frames at the ends of a file's parts.

    The last step is often cut short by the end of the file's edit. Where a stream was cut, pictures that come late in decoding order are
    missing between the last ones. `ends`: places in `steps` at which the earlier parts of a joined file end.
    """
    if len(steps) <= _MANY:
        return steps[:-1] if len(steps) > 1 else steps
    last = {end - back for end in (*ends, len(steps)) for back in range(1, _REORDERED + 1)}
    return np.delete(steps, [place for place in last if 0 <= place < len(steps)])


def _constant(steps: NDArray[np.int64], base: Fraction, stated: Fraction | None, *, coarse: bool) -> Fraction:
    """Return the standard rate for constant-rate output of frames with varying steps.

    It fits the shortest of the steps that are at least a quarter as common as the commonest. Steps that only scatter around their mean,
    such as those of 24 in 30 pictures a second, give the mean's rate.
    """
    low, middle, high = np.quantile(steps, (0.05, 0.5, 0.95))
    settled = np.mean(np.abs(steps - middle) <= max(_SETTLED * middle, 1)) >= _MOST
    if high <= _EVEN * low and not settled:
        return _jittered_rate(steps, base) or standard_rate(Fraction(len(steps)) / (int(steps.sum()) * base))
    shortest = _shortest_rate(steps, base, stated, coarse=coarse)
    times = np.concatenate([[0], np.cumsum(steps)])
    if _grid_error(times, float(1 / (shortest * base))) <= _LOOSE_GRID:
        return shortest
    return _jittered_rate(steps, base) or shortest


def _jittered_rate(steps: NDArray[np.int64], base: Fraction) -> Fraction | None:
    """Return the standard rate around whose even times the frames scatter, or None.

    Recorders of cameras and screens state the moment at which a frame arrives. Longer pauses are left out. If the other steps have one
    length, their mean is near their median.
    """
    middle = float(np.median(steps))
    usual = steps[steps < _PAUSE * middle]
    mean = float(usual.mean()) if len(usual) else 0.0
    if len(usual) < _MANY or len(usual) < _USUAL * len(steps):
        return None
    # A median of few rounded steps is not exact, either.
    error = 0.5 + 1.25 * float(usual.std()) / len(usual) ** 0.5
    rate = 1 / (Fraction(mean).limit_denominator(1000) * base)
    standard = standard_rate(rate)
    return standard if abs(mean - middle) <= _CLOSE * middle + error and abs(standard / rate - 1) <= _CLOSE else None


def _shortest_rate(steps: NDArray[np.int64], base: Fraction, stated: Fraction | None, *, coarse: bool) -> Fraction:
    """Return the standard rate that fits the shortest of the common steps."""
    ordered = np.sort(steps)
    ends = np.searchsorted(ordered, ordered * _WINDOW + (1 if coarse else 0), side="right")
    counts = ends - np.arange(len(ordered))
    place = int(np.argmax(counts >= max(_COMMON * counts.max(), 2 if len(ordered) > 4 else 1)))
    near = ordered[place : ends[place]]
    if coarse or (base <= _FINEST_COUNT and 1 < near[len(near) // 2] < _FINE_TICKS):
        return _coarse_rate(steps, (steps >= near[0]) & (steps <= near[-1]), base, stated)
    return standard_rate(1 / (Fraction(float(np.median(near))).limit_denominator(1000) * base))


def _coarse_rate(steps: NDArray[np.int64], near: NDArray[np.bool_], base: Fraction, stated: Fraction | None) -> Fraction:
    """Return the standard rate that best explains the steps selected by `near`.

    For clocks whose ticks are coarse, such as milliseconds, which round each step by up to one. A rate whose evenly spaced times include
    all frames is the best. If there is none, runs of such steps, and gaps of up to eight steps, are compared with whole multiples of
    each rate's step.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(int)))
    runs = [(int(steps[first:last].sum()), int(last - first)) for first, last in edges.reshape(-1, 2)]
    total, count = sum(length for length, _ in runs), sum(number for _, number in runs)
    rate = Fraction(count) / (total * base)
    fitting = [standard for standard in STANDARD_RATES if abs(standard / rate - 1) <= Fraction(len(runs), total)]
    if not fitting:
        return standard_rate(rate)
    if stated in fitting:
        return stated
    times = np.concatenate([[0], np.cumsum(steps)])
    even = [standard for standard in fitting if _grid_error(times, float(1 / (standard * base))) <= _GRID]
    if even:
        return min(even, key=lambda standard: (standard.denominator, abs(standard / rate - 1)))

    def error(standard: Fraction) -> float:
        period = float(1 / (standard * base))
        gaps = steps[~near & (steps < _MOST_MULTIPLE * period)]
        return sum(abs(length - number * period) for length, number in runs) + float(np.abs(gaps - np.rint(gaps / period) * period).sum())

    least = min(error(standard) for standard in fitting)
    close = [standard for standard in fitting if error(standard) <= least + _TIE]
    return min(close, key=lambda standard: (standard.denominator, abs(standard / rate - 1)))


def _grid_error(times: NDArray[np.int64], period: float) -> float:
    """Return the range of the differences between `times` and the nearest multiples of `period`.

    All values are in ticks.
    """
    errors = times - np.rint(times / period) * period
    return float(errors.max() - errors.min())


def _even_rate(steps: NDArray[np.int64], base: Fraction, stated: Fraction | None) -> Fraction:
    """Return the frame rate of steps that are equal except for rounding.

    It is the stated or the mean rate, or a standard rate that rounding to ticks explains.
    """
    mean = Fraction(int(steps.sum()), len(steps)) * base
    scatter = int(np.ptp(steps))
    slack = max((2 + scatter) * base / (len(steps) * mean), _EXACT)
    if stated and stated > 0 and abs(stated * mean - 1) <= slack:
        return simplest(_snapped(stated, _EXACT))
    return simplest(_snapped(1 / mean, slack))


def _fitting(pts: NDArray[np.int64], base: Fraction, stated: Fraction | None, steps: NDArray[np.int64], slack: float) -> Fraction | None:
    """Return a rate whose evenly spaced times match `pts` within `slack` ticks, or None.

    For clocks that count milliseconds or hundredths. None if no rate fits.
    """
    if len(pts) < 3 or len(steps) < 2:
        return None
    mean = 1 / (Fraction(int(pts[-2] - pts[0]), len(pts) - 2) * base)
    usual = sorted(STANDARD_RATES, key=lambda rate: rate.denominator)
    named = [_snapped(stated, _EXACT)] if stated and stated > 0 else []
    standard_rates = [rate for rate in named if rate in STANDARD_RATES]
    candidates = [rate for rate in (*standard_rates, *usual, *named) if abs(rate / mean - 1) < _CLOSE]
    for rate in candidates:
        errors = (pts[:-1] - pts[0]) - np.arange(len(pts) - 1) / float(rate * base)
        if float(errors.max() - errors.min()) <= slack:
            return simplest(rate)
    return None


def _snapped(rate: Fraction, tolerance: Fraction) -> Fraction:
    """Return the nearest standard rate within `tolerance` of `rate`, or `rate` itself.

    Here all whole numbers and their NTSC rates count as standard, too.
    """
    whole = (Fraction(round(rate * 1001 / 1000) * 1000, 1001), Fraction(round(rate)))
    near = [standard for standard in (*whole, *STANDARD_RATES) if standard > 0 and abs(standard / rate - 1) < tolerance]
    return min(near, key=lambda standard: abs(standard / rate - 1), default=rate)
