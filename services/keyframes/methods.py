"""From what was measured to transitions: one entry for each method."""

from dataclasses import dataclass

import numpy as np

from services.keyframes.adaptive import adaptive
from services.keyframes.auto import auto
from services.keyframes.fades import emptiness, fades
from services.keyframes.measure import Measured
from services.keyframes.params import Method
from services.keyframes.steps import contrast_of
from services.keyframes.transition import Floats, Transition, cuts_of


@dataclass(frozen=True, slots=True)
class Detected:
    """The transitions that reach the threshold, and the scores (n,) of every method that cost nothing more."""

    transitions: list[Transition]
    scores: dict[str, Floats]


def detected(measured: Measured, method: Method, threshold: float) -> Detected:
    """Find the transitions of a video by `method`."""
    content = measured.change["content"]
    scores = {**measured.change, "adaptive": adaptive(content)}
    if method == "auto":
        found = auto(measured.film, len(measured.pts))
        return Detected([one for one in found.transitions if one.confidence >= threshold], {"auto": found.scores, **scores})
    if method == "fades":
        contrast = contrast_of(measured.film)
        empty = emptiness(contrast)
        transitions = [Transition(one.before + 1, one.after, "fade", one.depth) for one in fades(contrast, set(), threshold)]
        return Detected(transitions, {"fades": empty, **scores})
    return Detected(cuts_of(np.asarray(scores[method]), threshold), {method: scores[method], **scores})
