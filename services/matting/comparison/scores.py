"""Metrics of one backend's mattes, collected frame by frame."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.matting.metrics.errors import conn, dtssd, grad, mad, mse
from services.matting.metrics.flicker import FlickerMeter

Alpha = NDArray[np.float32]

_ERRORS: dict[str, Callable[[Alpha, Alpha], float]] = {"mad": mad, "mse": mse, "grad": grad, "conn": conn}


@dataclass(frozen=True, kw_only=True)
class Means:
    """Mean metrics over all frames; None if not measured."""

    flicker: float | None
    mad: float | None = None
    mse: float | None = None
    grad: float | None = None
    conn: float | None = None
    dtssd: float | None = None


@dataclass(slots=True)
class Scores:
    """Metrics of one backend, collected frame by frame."""

    _flicker: FlickerMeter = field(default_factory=FlickerMeter)
    _values: dict[str, list[float]] = field(default_factory=dict)
    _before: tuple[Alpha, Alpha] | None = None

    def add_flicker(self, gray: NDArray[np.uint8], small: Alpha, *, cut: bool) -> None:
        """Measure and add a frame's flicker.

        `gray`: luma of the frame, (h, w). `small`: matte of the frame in the same size.
        """
        if cut:
            self._flicker.reset()
        self._note("flicker", self._flicker.measure(gray, small))

    def add_errors(self, alpha: Alpha, truth: Alpha) -> None:
        """Measure and add a frame's errors.

        `alpha`, `truth`: matte and true matte of the frame, (H, W) of the same size.
        """
        for name, measure in _ERRORS.items():
            self._note(name, measure(alpha, truth))
        if self._before is not None:
            self._note("dtssd", dtssd(alpha, self._before[0], truth, self._before[1]))
        self._before = alpha, truth

    def means(self) -> Means:
        """Return the means over the frames so far."""
        return Means(**{name: self._mean(name) for name in ("flicker", *_ERRORS, "dtssd")})

    def _note(self, name: str, value: float | None) -> None:
        if value is not None and math.isfinite(value):
            total = self._values.setdefault(name, [0.0, 0.0])
            total[0] += value
            total[1] += 1

    def _mean(self, name: str) -> float | None:
        total = self._values.get(name)
        return round(total[0] / total[1], 4) if total else None
