"""The time map of a speed curve: source seconds to output seconds and back, in closed form.

At source time t the clip plays at speed s(t), so output time runs at dT/dt = 1/s(t). Between control points s is linear, and
the integral of 1/(s0 + k x) over x is log(1 + k x / s0) / k: exact, without steps, and with an exact inverse.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Clock:
    """Maps source time to output time along control points.

    `points`: (t, speed) pairs, t in source seconds and strictly rising, speed above 0. The first speed holds before the first
    point, the last one after the last point, so the map covers all times. Output time 0 is source time 0.
    """

    def __init__(self, points: Iterable[tuple[float, float]]) -> None:
        t, s = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
        if np.any(np.diff(t) <= 0) or np.any(s <= 0) or not np.all(np.isfinite(t) & np.isfinite(s)):
            raise ValueError("the points of a curve need rising times and speeds above 0")
        self._t, self._s = t, s
        self._slope = np.append(np.diff(s) / np.diff(t), 0.0)
        pieces = _piece(np.diff(t), s[:-1], self._slope[:-1])
        self._out = np.concatenate([[0.0], np.cumsum(pieces)])
        self._out -= self._forward(np.zeros(1))[0]

    def speed(self, t: ArrayLike) -> Floats:
        """Speed at source times `t` (seconds)."""
        return np.interp(np.asarray(t, dtype=np.float64), self._t, self._s)

    def out(self, t: ArrayLike) -> Floats:
        """Output times (seconds) of source times `t` (seconds), in the shape of `t`."""
        return self._forward(np.asarray(t, dtype=np.float64))

    def source(self, out: ArrayLike) -> Floats:
        """Source times (seconds) of output times `out` (seconds), in the shape of `out`: the inverse of `out`."""
        out = np.asarray(out, dtype=np.float64)
        i = np.maximum(np.searchsorted(self._out, out, side="right") - 1, 0)
        passed = out - self._out[i]
        slope = np.where(passed < 0, 0.0, self._slope[i])
        return self._t[i] + passed * self._s[i] * _expm1_ratio(slope * passed)

    def _forward(self, t: Floats) -> Floats:
        i = np.maximum(np.searchsorted(self._t, t, side="right") - 1, 0)
        passed = t - self._t[i]
        return self._out[i] + _piece(passed, self._s[i], np.where(passed < 0, 0.0, self._slope[i]))


def _piece(length: Floats, speed: Floats, slope: Floats) -> Floats:
    """Output seconds of `length` source seconds that begin at `speed` and change by `slope` a second."""
    x = slope * length / speed
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    # log1p(x)/x loses nothing near 0 but the division 0/0: two terms of its series are exact there.
    return length / speed * np.where(np.abs(x) < 1e-8, 1 - x / 2, np.log1p(safe) / safe)


def _expm1_ratio(x: Floats) -> Floats:
    """(exp(x) - 1) / x, 1 at 0."""
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    return np.where(np.abs(x) < 1e-8, 1 + x / 2, np.expm1(safe) / safe)
