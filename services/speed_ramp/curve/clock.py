"""Conversion between source time and output time along a speed curve.

At source time t the clip plays at speed s(t), so output time runs at dT/dt = 1/s(t). Where s is linear between two points, the integral of
1/(s0 + k x) over x is log(1 + k x / s0) / k: exact, without time steps, and with an exact inverse. `easing.py` integrates the eased pieces.
At a point that freezes, output time jumps while source time stands still.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.speed_ramp.curve.easing import SmoothPieces
from services.speed_ramp.curve.points import Point

Floats = NDArray[np.float64]


class Clock:
    """Converter between source and output time along a speed curve.

    `points`: each a Point, or a tuple of its first fields. Times are source seconds, strictly rising; speeds are above 0. The first speed
    also applies before the first point, and the last speed after the last point, so the map covers all times. Output time 0 is source time
    `start`. Raises ValueError for other points.
    """

    def __init__(self, points: Iterable[tuple[float, float] | Point], *, start: float = 0.0) -> None:
        self._points = [Point(*point) for point in points]
        self._start = start
        t, s, freeze = (np.array([point[i] for point in self._points], dtype=np.float64) for i in (0, 1, 3))
        if np.any(np.diff(t) <= 0) or np.any(s <= 0) or np.any(freeze < 0) or not np.all(np.isfinite([t, s, freeze])):
            raise ValueError("the points of a curve need rising times and speeds above 0")
        easing = np.array([point.easing for point in self._points])
        self._t, self._s, self._freeze = t, s, freeze
        length, change = np.diff(t), np.where(easing[:-1] == "hold", 0.0, np.diff(s))
        self._slope = np.append(change / length, 0.0)
        eased = np.flatnonzero((easing[:-1] == "smooth") & (change != 0))
        # Index of each eased piece among the eased pieces; -1 for the others.
        self._eased = np.full(len(t), -1)
        self._eased[eased] = np.arange(len(eased))
        self._smooth = SmoothPieces(length[eased], s[eased], s[eased + 1]) if len(eased) else None
        # Output length of each piece in seconds; the last piece never ends.
        self._piece_s = np.append(self._elapsed(np.arange(len(length)), length), np.inf)
        self._reached = np.concatenate([[0.0], np.cumsum(freeze[:-1] + self._piece_s[:-1])])
        self._reached -= self.out(start)
        self._jumps = np.flatnonzero((easing[:-1] == "hold") & (np.diff(s) != 0)) + 1

    def speed(self, t: ArrayLike) -> Floats:
        """Return the speeds at source times `t` (seconds).

        Where the speed jumps, the result is the later speed.
        """
        t = np.asarray(t, dtype=np.float64)
        i = np.maximum(np.searchsorted(self._t, t, side="right") - 1, 0)
        elapsed = np.maximum(t - self._t[i], 0)
        speed = np.asarray(self._s[i] + self._slope[i] * elapsed)
        if self._smooth is not None and np.any(eased := self._eased[i] >= 0):
            speed[eased] = self._smooth.speed(self._eased[i][eased], elapsed[eased])
        return speed

    def out(self, t: ArrayLike) -> Floats:
        """Return the output time at which each source time is first shown.

        Times are in seconds, in the shape of `t`. Where a point freezes, this is the start of the freeze.
        """
        return self._out(np.asarray(t, dtype=np.float64), "left")

    def left(self, t: ArrayLike) -> Floats:
        """Return the output time at which each source time is last shown.

        Times are in seconds, in the shape of `t`. Where a point freezes, this is the end of the freeze; elsewhere it equals `out`.
        """
        return self._out(np.asarray(t, dtype=np.float64), "right")

    def source(self, out: ArrayLike) -> Floats:
        """Return the source time shown at each output time.

        Times are in seconds, in the shape of `out`.
        """
        out = np.asarray(out, dtype=np.float64)
        leaving = self._reached + self._freeze
        i = np.maximum(np.searchsorted(leaving, out, side="right") - 1, 0)
        before = out < leaving[0]
        # Output time beyond the end of the piece belongs to a freeze.
        elapsed = np.where(before, np.minimum(out - self._reached[0], 0), np.minimum(out - leaving[i], self._piece_s[i]))
        slope = np.where(before, 0.0, self._slope[i])
        eased = ~before & (self._eased[i] >= 0)
        way = np.asarray(elapsed * self._s[i] * _expm1_ratio(np.where(eased, 0.0, slope * elapsed)))
        if self._smooth is not None and np.any(eased):
            way[eased] = self._smooth.source(self._eased[i][eased], elapsed[eased])
        source: Floats = self._t[i] + way
        return source

    def jumps(self) -> Floats:
        """Return the output times in seconds where the speed jumps."""
        return self._reached[self._jumps]

    def freezes(self) -> list[tuple[float, float]]:
        """Return (time, length) of each freeze, in order.

        Both are in output seconds. Times are those of the clock `moving()`, which has no freezes.
        """
        points = [(point.t, point.freeze) for point in self._points if point.freeze > 0 and point.t >= self._start]
        moving = self.moving()
        return [(float(moving.out(t)), freeze) for t, freeze in points]

    def moving(self) -> "Clock":
        """Return the clock of the same curve without its freezes."""
        return Clock([point._replace(freeze=0.0) for point in self._points], start=self._start)

    def _out(self, t: Floats, side: Literal["left", "right"]) -> Floats:
        i = np.maximum(np.searchsorted(self._t, t, side=side) - 1, 0)
        elapsed = t - self._t[i]
        frozen = (elapsed > 0) | ((elapsed == 0) & (side == "right"))
        return self._reached[i] + np.where(frozen, self._freeze[i], 0.0) + self._elapsed(i, elapsed)

    def _elapsed(self, i: NDArray[np.intp], elapsed: Floats) -> Floats:
        """Return the output duration of the first `elapsed` source seconds of pieces `i`.

        `elapsed`: source seconds, negative before the first point.
        """
        eased = (self._eased[i] >= 0) & (elapsed > 0)
        output_s = np.asarray(_linear(elapsed, self._s[i], np.where(eased | (elapsed <= 0), 0.0, self._slope[i])))
        if self._smooth is not None and np.any(eased):
            output_s[eased] = self._smooth.out(self._eased[i][eased], elapsed[eased])
        return output_s


def _linear(length: Floats, speed: Floats, slope: Floats) -> Floats:
    """Return the output duration of pieces whose speed changes linearly.

    `length`: source seconds of each piece. `speed`: speed at its start. `slope`: change of speed per source second.
    """
    x = slope * length / speed
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    # Near 0, where log1p(x)/x would be 0/0, two terms of its series are exact in double precision.
    return length / speed * np.where(np.abs(x) < 1e-8, 1 - x / 2, np.log1p(safe) / safe)


def _expm1_ratio(x: Floats) -> Floats:
    """Return (exp(x) - 1) / x, which is 1 at 0."""
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    return np.where(np.abs(x) < 1e-8, 1 + x / 2, np.expm1(safe) / safe)
