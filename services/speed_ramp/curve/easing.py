"""Smoothstep pieces of a speed curve, integrated in closed form.

Over a piece of L source seconds, u = 0..1, the speed is s0 + (s1 - s0) (3 u^2 - 2 u^3), the smoothstep, which is level at both ends. With v
= u - 1/2, m the mean and d the difference of both speeds, this is m + d (1.5 v - 2 v^3), whose roots are sign(d) cosh(a + 2 pi i k / 3), k
= 0, 1, 2, with cosh(3 a) = 2 m / |d| (from cosh 3a = 4 cosh^3 a - 3 cosh a). Partial fractions give the integral of 1/speed as a sum of
three logarithms. Newton's method, kept inside a bracket, inverts it.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_SAME = 1e-9  # relative difference below which two speeds count as equal
_MAX_STEPS = 60  # maximum number of steps in the search for a source time


class SmoothPieces:
    """Smoothstep pieces of a speed curve.

    `length` source seconds each, from speed `first` to speed `last` (arrays of equal length, speeds above 0).
    """

    def __init__(self, length: Floats, first: Floats, last: Floats) -> None:
        self._length, self._first = length, first
        mean, self._change = (first + last) / 2, last - first
        self._flat = np.abs(self._change) <= _SAME * mean
        change = np.where(self._flat, mean, self._change)
        angle = np.arccosh(2 * mean / np.abs(change))[:, None] / 3 + 2j * np.pi / 3 * np.arange(3)
        roots = np.sign(change)[:, None] * np.cosh(angle)
        self._offsets = -0.5 - roots
        self._slope = change[:, None] * (1.5 - 6 * roots**2)

    def speed(self, i: Indices, elapsed: Floats) -> Floats:
        """Return the speeds in pieces `i` after `elapsed` source seconds."""
        u = np.clip(elapsed / self._length[i], 0, 1)
        return self._first[i] + self._change[i] * u * u * (3 - 2 * u)

    def out(self, i: Indices, elapsed: Floats) -> Floats:
        """Return the output duration of the first `elapsed` source seconds of pieces `i`.

        `elapsed`: source seconds.
        """
        u = elapsed / self._length[i]
        integral = np.log1p(u[..., None] / self._offsets[i]) / self._slope[i]
        return np.where(self._flat[i], elapsed / self._first[i], self._length[i] * integral.real.sum(axis=-1))

    def source(self, i: Indices, elapsed: Floats) -> Floats:
        """Return the source duration of the first `elapsed` output seconds of pieces `i`."""
        low, high = np.zeros_like(elapsed), self._length[i]
        x = np.clip(elapsed * self._first[i], low, high)
        for _ in range(_MAX_STEPS):
            over = self.out(i, x) - elapsed
            low, high = np.where(over < 0, x, low), np.where(over > 0, x, high)
            step = x - over * self.speed(i, x)
            # Newton's step; where it leaves the bracket, the middle of the bracket.
            better = np.where((step >= low) & (step <= high), step, (low + high) / 2)
            done = bool(np.all(np.abs(better - x) <= 1e-15 * self._length[i]))
            x = better
            if done:
                break
        return x
