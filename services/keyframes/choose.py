"""Which frames stand for their shots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.keyframes.measure import Measured
from services.keyframes.params import DetectParams, Shot


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A frame, why it was chosen and how good it is."""

    frame: int
    shot: int
    score: float
    sharpness: float
    exposure: float
    typical: float
    stillness: float
    reasons: tuple[str, ...]


def choose(measured: Measured, shots: Sequence[Shot], params: DetectParams) -> list[Choice]:
    """The best frame of each shot, at most `max_keyframes` and `min_gap` seconds apart, in the order of the video."""
    best = [_best(measured, shot) for shot in shots]
    return sorted(sorted(best, key=lambda one: -one.score)[: params.max_keyframes], key=lambda one: one.frame)


def _best(measured: Measured, shot: Shot) -> Choice:
    part = slice(shot.start_frame, shot.end_frame)
    sharp = measured.sharpness[part] / max(float(measured.sharpness[part].max()), 1e-6)
    exposed = measured.exposure[part]
    layout = measured.layout[part].astype(np.float32)
    typical = np.exp(-np.abs(layout - layout.mean(axis=0)).mean(axis=1) / 16)
    still = np.exp(-measured.change["difference"][part] / 8)
    score = 0.4 * sharp + 0.2 * exposed + 0.25 * typical + 0.15 * still
    at = int(np.argmax(score))
    return Choice(
        frame=shot.start_frame + at,
        shot=shot.index,
        score=float(score[at]),
        sharpness=float(sharp[at]),
        exposure=float(exposed[at]),
        typical=float(typical[at]),
        stillness=float(still[at]),
        reasons=("sharpest and most typical frame of its shot",),
    )
