"""The time map of a speed curve: source seconds to output seconds and back, in closed form.

At source time t the clip plays at speed s(t), so output time runs at dT/dt = 1/s(t). Where s is linear between two points, the
integral of 1/(s0 + k x) over x is log(1 + k x / s0) / k: exact, without steps, and with an exact inverse. `smooth.py` has the eased pieces.
A point that freezes makes output time jump while source time stands still.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.speed_ramp.curve.easing import SmoothPieces

Floats = NDArray[np.float64]
Easing = Literal["linear", "smooth", "hold"]


class Point(NamedTuple):
    """A control point: `speed` at source second `t`, how the speed goes on to the next point, and a stop of `freeze` output seconds."""

    t: float
    speed: float
    easing: Easing = "linear"
    freeze: float = 0.0


class Clock:
    """Maps source time to output time along control points.

    `points`: each a Point, or its first fields as a tuple; t in source seconds and strictly rising, speed above 0. The first speed
    holds before the first point, the last one after the last point, so the map covers all times. Output time 0 is source time
    `start`. Where a point freezes, `out` is the moment at which its time is reached, before the stop.
    """

    def __init__(self, points: Iterable[tuple[float, float] | Point], *, start: float = 0.0) -> None:
        self._points = [Point(*point) for point in points]
        self._start = start
        t, s, freeze = (np.array([point[i] for point in self._points], dtype=np.float64) for i in (0, 1, 3))
        if np.any(np.diff(t) <= 0) or np.any(s <= 0) or np.any(freeze < 0) or not np.all(np.isfinite(t) & np.isfinite(s)):
            raise ValueError("the points of a curve need rising times and speeds above 0")
        easing = np.array([point.easing for point in self._points])
        self._t, self._s, self._freeze = t, s, freeze
        length, change = np.diff(t), np.where(easing[:-1] == "hold", 0.0, np.diff(s))
        self._slope = np.append(change / length, 0.0)
        eased = np.flatnonzero((easing[:-1] == "smooth") & (change != 0))
        self._eased = np.full(len(t), -1)
        self._eased[eased] = np.arange(len(eased))
        self._smooth = SmoothPieces(length[eased], s[eased], s[eased + 1]) if len(eased) else None
        # Output seconds of each piece; the last one never ends.
        self._taken = np.append(self._piece(np.arange(len(length)), length), np.inf)
        self._reached = np.concatenate([[0.0], np.cumsum(freeze[:-1] + self._taken[:-1])])
        self._reached -= self.out(start)
        self._jumps = np.flatnonzero((easing[:-1] == "hold") & (np.diff(s) != 0)) + 1

    def speed(self, t: ArrayLike) -> Floats:
        """Speed at source times `t` (seconds); where it jumps, the one that follows."""
        t = np.asarray(t, dtype=np.float64)
        i = np.maximum(np.searchsorted(self._t, t, side="right") - 1, 0)
        passed = np.maximum(t - self._t[i], 0)
        speed = np.asarray(self._s[i] + self._slope[i] * passed)
        if self._smooth is not None and np.any(eased := self._eased[i] >= 0):
            speed[eased] = self._smooth.speed(self._eased[i][eased], passed[eased])
        return speed

    def out(self, t: ArrayLike) -> Floats:
        """Output times (seconds) at which source times `t` (seconds) are reached, in the shape of `t`."""
        return self._out(np.asarray(t, dtype=np.float64), "left")

    def left(self, t: ArrayLike) -> Floats:
        """Output times (seconds) at which source times `t` (seconds) are left: later than `out` where a point freezes."""
        return self._out(np.asarray(t, dtype=np.float64), "right")

    def source(self, out: ArrayLike) -> Floats:
        """Source times (seconds) of output times `out` (seconds), in the shape of `out`: the inverse of `out`."""
        out = np.asarray(out, dtype=np.float64)
        leaving = self._reached + self._freeze
        i = np.maximum(np.searchsorted(leaving, out, side="right") - 1, 0)
        before = out < leaving[0]
        # What goes beyond the piece is the freeze at its end.
        passed = np.where(before, np.minimum(out - self._reached[0], 0), np.minimum(out - leaving[i], self._taken[i]))
        slope = np.where(before, 0.0, self._slope[i])
        eased = ~before & (self._eased[i] >= 0)
        way = np.asarray(passed * self._s[i] * _expm1_ratio(np.where(eased, 0.0, slope * passed)))
        if self._smooth is not None and np.any(eased):
            way[eased] = self._smooth.source(self._eased[i][eased], passed[eased])
        return self._t[i] + way

    def jumps(self) -> Floats:
        """Output times (seconds) at which the speed changes at once."""
        return self._reached[self._jumps]

    def stops(self) -> list[tuple[float, float]]:
        """When, in output seconds of `moving()`, the picture stops, and for how many seconds; not before the start."""
        points = [(point.t, point.freeze) for point in self._points if point.freeze > 0 and point.t >= self._start]
        moving = self.moving()
        return [(float(moving.out(t)), freeze) for t, freeze in points]

    def moving(self) -> "Clock":
        """The same curve without its freezes."""
        return Clock([point._replace(freeze=0.0) for point in self._points], start=self._start)

    def _out(self, t: Floats, side: Literal["left", "right"]) -> Floats:
        i = np.maximum(np.searchsorted(self._t, t, side=side) - 1, 0)
        passed = t - self._t[i]
        stopped = (passed > 0) | ((passed == 0) & (side == "right"))
        return self._reached[i] + np.where(stopped, self._freeze[i], 0.0) + self._piece(i, passed)

    def _piece(self, i: NDArray[np.intp], passed: Floats) -> Floats:
        """Output seconds of the first `passed` source seconds of pieces `i`; below 0: of as many before the first point."""
        eased = (self._eased[i] >= 0) & (passed > 0)
        taken = np.asarray(_linear(passed, self._s[i], np.where(eased | (passed <= 0), 0.0, self._slope[i])))
        if self._smooth is not None and np.any(eased):
            taken[eased] = self._smooth.out(self._eased[i][eased], passed[eased])
        return taken


def _linear(length: Floats, speed: Floats, slope: Floats) -> Floats:
    """Output seconds of `length` source seconds that begin at `speed` and change by `slope` a second."""
    x = slope * length / speed
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    # log1p(x)/x loses nothing near 0 but the division 0/0: two terms of its series are exact there.
    return length / speed * np.where(np.abs(x) < 1e-8, 1 - x / 2, np.log1p(safe) / safe)


def _expm1_ratio(x: Floats) -> Floats:
    """(exp(x) - 1) / x, 1 at 0."""
    safe = np.where(np.abs(x) < 1e-8, 1.0, x)
    return np.where(np.abs(x) < 1e-8, 1 + x / 2, np.expm1(safe) / safe)
