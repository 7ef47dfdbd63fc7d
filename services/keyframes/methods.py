"""From a video to its transitions, by one method or another."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.keyframes.adaptive import adaptive
from services.keyframes.auto import auto
from services.keyframes.fades import emptiness, fades
from services.keyframes.measure import Measured, measure
from services.keyframes.params import SCORE_DIGITS, DetectParams
from services.keyframes.steps import contrast_of
from services.keyframes.transition import Floats, Transition, cuts_of
from services.keyframes.transnet import changes, network, picture, transitions
from shared.operation import Progress
from shared.video import VideoInfo


@dataclass(frozen=True, slots=True)
class Detected:
    """The transitions that reach the threshold, and the scores (n,) of every method that cost nothing more.

    `candidates`: where transitions are weighed rather than frames, all of them, in order.
    """

    transitions: list[Transition]
    scores: dict[str, Floats]
    candidates: list[Transition] | None = None


def look_and_detect(video: Path, info: VideoInfo, params: DetectParams, kept: Path, progress: Progress) -> tuple[Measured, Detected]:
    """Look at a video, and find its transitions by the method that `params` names. `kept`: a file for what is to be looked at again."""
    threshold = params.cut_at
    if params.method == "transnet":
        with network() as net:
            measured = measure(video, info, kept, progress, watch=lambda small: net.add(picture(small)))
            single, many = net.finish()
        found = transitions(single, many, threshold)
        return measured, Detected(found, {**_cheap(measured), "transnet": changes(single)})
    measured = measure(video, info, kept, progress)
    scores = _cheap(measured)
    if params.method == "auto":
        weighed = auto(measured.film, len(measured.pts))
        likely = [one for one in weighed.transitions if one.confidence >= threshold]
        return measured, Detected(likely, {**scores, "auto": weighed.scores}, weighed.transitions)
    if params.method == "fades":
        faded = fades(contrast_of(measured.film), set(), threshold)
        return measured, Detected([Transition(one.before + 1, one.after, "fade", one.depth) for one in faded], scores)
    # As they are told, so that whoever cuts by them finds the same.
    told = np.round(scores[params.method], SCORE_DIGITS)
    return measured, Detected(cuts_of(told, threshold), {**scores, params.method: told})


def _cheap(measured: Measured) -> dict[str, Floats]:
    """The scores of the methods that need nothing but what was measured."""
    return {**measured.change, "adaptive": adaptive(measured.change["content"]), "fades": emptiness(contrast_of(measured.film))}
