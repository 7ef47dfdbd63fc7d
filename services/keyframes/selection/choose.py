"""Which frames stand for their shots."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.scan import Measured
from services.keyframes.params import DetectParams, Shot
from services.keyframes.selection.similar import groups_alike

WEIGHTS = {"sharpness": 0.4, "exposure": 0.2, "typical": 0.25, "stillness": 0.15}
"""What makes a keyframe good, and how much each counts."""

_REASONS = {
    "sharpness": "among the sharpest of its shot",
    "exposure": "well exposed",
    "typical": "typical of its shot",
    "stillness": "taken in a still moment",
}
_GOOD = {"sharpness": 0.85, "exposure": 0.6, "typical": 0.7, "stillness": 0.7}
_LAYOUT_SCALE, _MOTION_SCALE = 16.0, 8.0  # levels of brightness by which a tile, a pixel, may differ
_EDGE = 2  # frames next to a cut that encoders and editors leave in a bad state


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A frame, why it was chosen and how good it is. `like`: shots whose frames were left out because they look like it."""

    frame: int
    shot: int
    score: float
    sharpness: float
    exposure: float
    typical: float
    stillness: float
    reasons: tuple[str, ...]
    like: tuple[int, ...] = ()


def choose(measured: Measured, shots: Sequence[Shot], params: DetectParams) -> list[Choice]:
    """The best frame of each shot, at most `max_keyframes` and at least `min_gap` seconds apart, in the order of the video.

    A frame is good that is sharp for its shot, shows detail in lights and darks, is near the shot's average, and in which little moves.
    Where frames are too near to each other the better one stays, and the other shot's next best that is far enough is taken.
    """
    chosen: list[Choice] = []
    taken: list[float] = []  # seconds of what is chosen, rising
    seconds = measured.pts * float(measured.time_base)
    ends = [*(shot.transition_start_frame for shot in shots[1:]), len(measured.pts)]
    for rated in sorted(map(partial(_rated, measured), shots, ends), key=lambda one: -float(one.score.max())):
        allowed = np.ones(len(rated.frames), dtype=bool)
        own = seconds[rated.frames]
        # Only what is near: there may be ten thousand shots.
        near = slice(bisect_left(taken, own[0] - params.min_gap), bisect_right(taken, own[-1] + params.min_gap))
        for other in taken[near] if params.min_gap else ():
            # Half a tick of slack: a gap that was meant to be exactly so long is one.
            allowed &= np.abs(own - other) > params.min_gap - float(measured.time_base) / 2
        if allowed.any():
            chosen.append(rated.choice(int(np.argmax(np.where(allowed, rated.score, -1)))))
            insort(taken, float(seconds[chosen[-1].frame]))
    chosen.sort(key=lambda one: -one.score)
    if params.deduplicate:
        chosen = _one_of_each(measured, chosen, params.max_keyframes)
    return sorted(chosen[: params.max_keyframes], key=lambda one: one.frame)


@dataclass(frozen=True, slots=True)
class _Rated:
    """The frames of a shot, (k,) numbers, and what each is worth."""

    shot: int
    frames: NDArray[np.int64]
    parts: dict[str, NDArray[np.float64]]
    score: NDArray[np.float64]

    def choice(self, place: int) -> Choice:
        values = {name: float(part[place]) for name, part in self.parts.items()}
        reasons = tuple(_REASONS[name] for name in WEIGHTS if values[name] >= _GOOD[name])
        return Choice(
            frame=int(self.frames[place]),
            shot=self.shot,
            score=float(self.score[place]),
            reasons=reasons or ("the best frame of its shot",),
            **values,
        )


def _rated(measured: Measured, shot: Shot, until: int) -> _Rated:
    """Rate the frames of a shot; from frame `until` on the next transition is under way."""
    first, last = np.searchsorted(measured.film.frames, [shot.start_frame, shot.end_frame])
    # Not from a transition, nor right at a cut, where the shot has other frames.
    inner = np.searchsorted(measured.film.frames, [shot.transition_end_frame + _EDGE, until - _EDGE])
    if inner[1] > inner[0]:
        first, last = inner
    part = slice(int(first), max(int(last), int(first) + 1))
    sharpness = measured.sharpness[part].astype(np.float64)
    layout = measured.layout[part].astype(np.float64)
    parts = {
        "sharpness": sharpness / max(float(np.percentile(sharpness, 95)), 1e-6),
        "exposure": measured.exposure[part].astype(np.float64),
        "typical": np.exp(-np.abs(layout - layout.mean(axis=0)).mean(axis=1) / _LAYOUT_SCALE),
        "stillness": np.exp(-measured.change["difference"][part].astype(np.float64) / _MOTION_SCALE),
    }
    parts["sharpness"] = np.minimum(parts["sharpness"], 1.0)
    score = sum((weight * parts[name] for name, weight in WEIGHTS.items()), np.zeros(len(sharpness)))
    return _Rated(shot.index, measured.film.frames[part], parts, score)


def _one_of_each(measured: Measured, chosen: list[Choice], most: int) -> list[Choice]:
    """Of choices that look alike the first, which tells of the others; `most` of them at most."""
    places = np.searchsorted(measured.film.frames, [one.frame for one in chosen])
    kept = []
    for group in groups_alike(measured.film, measured.layout, places.tolist(), most=most):
        best, *others = (chosen[number] for number in group)
        if others:
            shots = sorted(one.shot for one in others)
            told = ", ".join(str(shot) for shot in shots[:10]) + (", ..." if len(shots) > 10 else "")
            best = replace(
                best, like=tuple(shots), reasons=(*best.reasons, f"stands for {len(shots)} more that look like it (shot {told})")
            )
        kept.append(best)
    return kept
