"""From what was measured to transitions: one entry for each method."""

from dataclasses import dataclass

import numpy as np

from services.keyframes.adaptive import adaptive
from services.keyframes.auto import auto
from services.keyframes.fades import emptiness, fades
from services.keyframes.measure import Measured
from services.keyframes.params import SCORE_DIGITS, Method
from services.keyframes.steps import contrast_of
from services.keyframes.transition import Floats, Transition, cuts_of


@dataclass(frozen=True, slots=True)
class Detected:
    """The transitions that reach the threshold, and the scores (n,) of every method that cost nothing more.

    `candidates`: where transitions are weighed rather than frames, all of them, in order.
    """

    transitions: list[Transition]
    scores: dict[str, Floats]
    candidates: list[Transition] | None = None


def detected(measured: Measured, method: Method, threshold: float) -> Detected:
    """Find the transitions of a video by `method`."""
    content = measured.change["content"]
    scores = {**measured.change, "adaptive": adaptive(content)}
    if method == "auto":
        found = auto(measured.film, len(measured.pts))
        likely = [one for one in found.transitions if one.confidence >= threshold]
        return Detected(likely, {"auto": found.scores, **scores}, found.transitions)
    if method == "fades":
        contrast = contrast_of(measured.film)
        empty = emptiness(contrast)
        transitions = [Transition(one.before + 1, one.after, "fade", one.depth) for one in fades(contrast, set(), threshold)]
        return Detected(transitions, {"fades": empty, **scores})
    # As they are told, so that whoever cuts by them finds the same.
    told = np.round(scores[method], SCORE_DIGITS)
    return Detected(cuts_of(told, threshold), {**scores, method: told})
