"""The default: hard cuts, fades, dissolves and wipes, each by its own test, with flashes and motion told apart."""

from dataclasses import dataclass

import numpy as np

from services.keyframes.analysis.consecutive import Floats, Steps, steps_of
from services.keyframes.analysis.thumbnail_film import TinyFilm
from services.keyframes.detectors.dissolves import gradual
from services.keyframes.detectors.fades import fades, is_fade
from services.keyframes.detectors.hard_cuts import CUT_AT, hard_cuts, sureness
from services.keyframes.detectors.transition import Transition

_FADE_DEPTH = 0.7
_SURE = 0.9
_SHORTEST_SHOT = 6  # frames; next to a gradual transition only, whose ends look like something themselves


@dataclass(frozen=True, slots=True)
class Found:
    """What may be a change of shot, with its confidence; `scores` (n frames of the video,) has it at the middle of each."""

    transitions: list[Transition]
    scores: Floats


def auto(film: TinyFilm, frames: int) -> Found:
    """Everything that may be a transition in a video of so many frames; those of a confidence of 0.5 are the likely ones."""
    film = film.without_bars()
    steps = steps_of(film)
    found = transitions_of(film, steps)
    scores = np.zeros(frames, np.float32)
    # A hint of what the picture does where nothing was found, below every threshold that makes sense.
    scores[film.frames] = np.minimum(steps.distance / CUT_AT, 1) * 0.05
    for one in found:
        at = min(one.middle, frames - 1)
        scores[at] = max(scores[at], one.confidence)
    return Found(found, scores)


def transitions_of(film: TinyFilm, steps: Steps) -> list[Transition]:
    """The candidates, in order, without overlaps."""
    number = film.frames
    cuts = hard_cuts(film, steps)
    likely = {one.place for one in cuts if one.distance >= CUT_AT}
    faded = [one for one in fades(steps.contrast, likely, _FADE_DEPTH) if is_fade(film, one)]
    taken = [(one.before, one.after) for one in faded]
    mixed = gradual(film, steps, likely, taken)
    spans = taken + [(one.before, one.after) for one in mixed if one.confidence >= 0.5]
    found = [
        Transition(int(number[one.before]) + 1, int(number[one.after]), "fade", min(0.5 + (one.depth - _FADE_DEPTH) * 1.5, 0.99))
        for one in faded
    ]
    found += [Transition(int(number[one.before]) + 1, int(number[one.after]), "dissolve", one.confidence) for one in mixed]
    for one in cuts:
        if not any(a < one.place <= b for a, b in spans):
            at = int(number[one.place])
            found.append(Transition(at, at, "cut", sureness(one.distance)))
    return _without_echoes(found)


def _without_echoes(found: list[Transition]) -> list[Transition]:
    """One transition where several were found that leave no room for a shot between them, and one of them is gradual."""
    kept: list[Transition] = []
    for one in sorted(found):
        last = kept[-1] if kept else None
        gradual = (last is not None and last.kind != "cut") or one.kind != "cut"
        if last is None or not gradual or one.start - last.end >= _SHORTEST_SHOT or min(one.confidence, last.confidence) < 0.5:
            kept.append(one)
        elif one.kind == "cut" or last.kind == "cut":
            cut, mixed = (one, last) if one.kind == "cut" else (last, one)
            # What goes on up to a sure cut is motion, as a rule; the steps of a quick fade look like sure cuts.
            kept[-1] = cut if mixed.kind == "dissolve" and cut.confidence >= _SURE else mixed
        else:
            # A fade has dissolves for its ends; of two others the surer one is it.
            kept[-1] = max(one, last, key=lambda each: (each.kind == "fade", each.confidence))
    return kept
