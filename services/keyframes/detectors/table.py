"""From a video to its transitions, by one method or another."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.keyframes.analysis.consecutive import contrast_of
from services.keyframes.analysis.scan import Measured, measure
from services.keyframes.detectors.adaptive import adaptive
from services.keyframes.detectors.auto import auto
from services.keyframes.detectors.fades import emptiness, fades
from services.keyframes.detectors.refine import exact_cuts
from services.keyframes.detectors.transition import Floats, Transition, cuts_of
from services.keyframes.detectors.transnet import changes, network, picture, transitions
from services.keyframes.params import SCORE_DIGITS, DetectParams
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
    if params.method == "transnet":
        with network() as net:
            measured = measure(video, info, kept, progress, watch=lambda small: net.add(picture(small)))
            single, many = net.finish()
        found = transitions(single, many, params.cut_at)
        return measured, Detected(found, {**_cheap(measured), "transnet": changes(single)})
    rough, fast = params.method == "auto", params.speed == "fast"
    measured = measure(video, info, kept, progress.part("looking", 0, 0.95), rough=rough, fast=rough and fast)
    found = detected(measured, params)
    if params.method == "auto" and found.candidates is not None:
        found = _exact(video, measured, params, found.candidates, found.scores)
    return measured, found


def _exact(video: Path, measured: Measured, params: DetectParams, candidates: list[Transition], scores: dict[str, Floats]) -> Detected:
    """Cuts that lie between two frames of which not all between were looked at are brought to their frame."""
    exact = exact_cuts(video, measured, candidates)
    told = scores["auto"].copy()
    for before, after in zip(candidates, exact, strict=True):
        if before != after:
            told[before.middle] = 0
    for one in exact:
        told[one.middle] = max(told[one.middle], one.confidence)
    return Detected([one for one in exact if one.confidence >= params.cut_at], {**scores, "auto": told}, exact)


def detected(measured: Measured, params: DetectParams) -> Detected:
    """The transitions of a video that was looked at, by any method but `transnet`, which has to see all frames."""
    threshold, scores = params.cut_at, _cheap(measured)
    if params.method == "auto":
        weighed = auto(measured.film, len(measured.pts))
        likely = [one for one in weighed.transitions if one.confidence >= threshold]
        return Detected(likely, {**scores, "auto": weighed.scores}, weighed.transitions)
    if params.method == "fades":
        faded = fades(contrast_of(measured.film), set(), threshold)
        return Detected([Transition(one.before + 1, one.after, "fade", one.depth) for one in faded], scores)
    # As they are told, so that whoever cuts by them finds the same.
    told = np.round(scores[params.method], SCORE_DIGITS)
    return Detected(cuts_of(told, threshold), {**scores, params.method: told})


def _cheap(measured: Measured) -> dict[str, Floats]:
    """The scores of the methods that need nothing but what was measured, of all frames."""
    scores = {**measured.change, "adaptive": adaptive(measured.change["content"]), "fades": emptiness(contrast_of(measured.film))}
    return {name: measured.of_all(values) for name, values in scores.items()}
