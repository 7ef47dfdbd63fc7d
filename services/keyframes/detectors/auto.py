"""Detector `auto`, the default, for cuts, fades, dissolves and wipes.

Flashes and motion are not reported as transitions.
"""

from dataclasses import dataclass, replace

import numpy as np

from services.keyframes.analysis.comparison.frame_changes import FrameChanges, frame_changes
from services.keyframes.analysis.comparison.frame_distance import frame_distance
from services.keyframes.analysis.same_place import frames_show_same_place
from services.keyframes.analysis.scanner import scan_video
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm
from services.keyframes.detectors.cuts.content import Content, content_of
from services.keyframes.detectors.cuts.hard_cuts import CUT_AT, hard_cuts
from services.keyframes.detectors.cuts.interruptions import interruptions
from services.keyframes.detectors.cuts.refinement import refine_cuts
from services.keyframes.detectors.footage import Detection, Footage
from services.keyframes.detectors.gradual.dissolves import SamePlace, find_dissolves, shows_one_shot
from services.keyframes.detectors.gradual.fades import Fade, find_fades, shows_same_picture
from services.keyframes.detectors.gradual.plain_runs import fades_at_plain_runs
from services.keyframes.detectors.transition import Floats, Transition

_FADE_DEPTH = 0.7  # minimum share of the contrast that a fade loses
_LIKELY, _SURE = 0.5, 0.9  # minimum confidence of a likely transition, and of a sure transition
_QUICK = 0.6  # length of the longest fade that may be a flash, in seconds
_SHORTEST_SHOT = 6  # minimum number of frames between a gradual transition and the next transition; closer ones are often just its ends
_HINT = 0.05  # highest score of frames without a candidate


@dataclass(frozen=True, slots=True)
class Candidates:
    """Possible transitions of a video in order, and the scores of its frames.

    `scores`: (n,), the confidence of each transition at its middle frame, and low scores at other frames.
    """

    transitions: list[Transition]
    scores: Floats


def detect_auto(footage: Footage, threshold: float) -> Detection:
    """Find transitions whose confidence reaches `threshold`.

    The scan skips frames that no other frame refers to, and with `footage.fast` also quiet spans.
    """
    scan = scan_video(
        footage.video,
        footage.info,
        footage.thumbnails,
        footage.progress.part("scanning", 0, 0.95),
        skip_unreferenced=True,
        skip_quiet=footage.fast,
        all_measures=footage.all_measures,
        holder=footage.holder,
    )

    film = scan.film.without_bars()

    def same_place(before: int, after: int) -> bool:
        frames = [before + (after - before) * step // 4 for step in range(5)]
        return frames_show_same_place(footage.video, [scan.exact_time(frame) for frame in frames], film.picture_box)

    candidates = find_candidates(film, len(scan.pts), scan.frame_rate, footage.content, same_place)
    refined = refine_cuts(footage.video, scan, candidates.transitions)
    return Detection(
        scan=scan,
        transitions=[transition for transition in refined if transition.confidence >= threshold],
        scores=_moved_scores(candidates, refined),
        candidates=refined,
    )


def find_candidates(film: ThumbnailFilm, frames: int, frame_rate: float, content: str, same_place: SamePlace) -> Candidates:
    """Find possible transitions and rate their confidence.

    `film`: thumbnails of the scanned frames without black bars. `frames`: number of frames of the video. `frame_rate`: frames per second.
    `content`: a name in CONTENTS, or auto. `same_place`: see `shows_one_shot`. Likely transitions have a confidence of 0.5 or more.
    """
    changes = frame_changes(film)
    transitions = find_transitions(film, changes, frame_rate, content_of(content, changes), same_place)
    scores = np.zeros(frames, np.float32)
    # Frames without a candidate get low scores, so that the gallery's curve shows their changes too.
    scores[film.frames] = np.minimum(changes.distance / CUT_AT, 1) * _HINT
    for transition in transitions:
        frame = min(transition.middle, frames - 1)
        scores[frame] = max(scores[frame], transition.confidence)
    return Candidates(transitions, scores)


def _moved_scores(candidates: Candidates, refined: list[Transition]) -> Floats:
    """Return the scores with each transition's score moved to its exact frame."""
    scores = candidates.scores.copy()
    for before, after in zip(candidates.transitions, refined, strict=True):
        if before != after:
            scores[before.middle] = 0
    for transition in refined:
        scores[transition.middle] = max(scores[transition.middle], transition.confidence)
    return scores


def find_transitions(
    film: ThumbnailFilm, changes: FrameChanges, frame_rate: float, content: Content, same_place: SamePlace
) -> list[Transition]:
    """Find the possible cuts, fades and dissolves of a film, in order.

    Likely transitions that detect the same change are reduced to one.
    """
    numbers = film.frames
    # Cuts and dissolves are searched in a film without flashes and blank frames.
    interrupted = interruptions(film, changes, frame_rate)
    gaps = [place for first, stop in interrupted for place in range(first, stop)]
    calm_film = film.without(gaps)
    calm_places = np.setdiff1d(np.arange(len(film)), gaps)
    calm_changes = frame_changes(calm_film) if gaps else changes
    behind_gaps = {int(place) for place in np.searchsorted(calm_places, [stop for _, stop in interrupted])}
    calm_cuts = hard_cuts(calm_film, calm_changes, frame_rate, content, behind_gaps)
    cuts = [replace(cut, place=int(calm_places[cut.place])) for cut in calm_cuts]
    likely_cuts = {cut.place for cut in cuts if cut.confidence >= _LIKELY}
    fades = _find_fades(film, changes, likely_cuts, interrupted, frame_rate)
    fade_spans = [(fade.before, fade.after) for fade in fades]
    calm_dissolves = find_dissolves(
        calm_film,
        calm_changes,
        {cut.place for cut in calm_cuts if cut.confidence >= _LIKELY},
        [tuple(np.searchsorted(calm_places, span).tolist()) for span in fade_spans],
    )
    dissolves = [
        replace(dissolve, before=int(calm_places[dissolve.before]), after=int(calm_places[dissolve.after]))
        for dissolve in calm_dissolves
        if not shows_one_shot(calm_film, dissolve, same_place)
    ]
    gradual_spans = fade_spans + [(dissolve.before, dissolve.after) for dissolve in dissolves if dissolve.confidence >= _LIKELY]
    transitions = [
        Transition(int(numbers[fade.before]) + 1, int(numbers[fade.after]), "fade", min(0.5 + (fade.depth - _FADE_DEPTH) * 1.5, 0.99))
        for fade in fades
    ]
    transitions += [
        Transition(
            int(numbers[dissolve.before]) + 1,
            int(numbers[dissolve.after]),
            "fade" if changes.plain[dissolve.before] or changes.plain[dissolve.after] else "dissolve",
            dissolve.confidence,
        )
        for dissolve in dissolves
    ]
    for cut in cuts:
        if not any(before < cut.place <= after for before, after in gradual_spans):
            frame = int(numbers[cut.place])
            transitions.append(Transition(frame, frame, "cut", cut.confidence))
    return _without_echoes(transitions)


def _find_fades(
    film: ThumbnailFilm, changes: FrameChanges, cuts: set[int], interrupted: list[tuple[int, int]], frame_rate: float
) -> list[Fade]:
    """Find the fades of a film, in order."""
    at_runs = fades_at_plain_runs(film, changes.plain, changes.contrast, cuts, frame_rate)
    fades = at_runs.fades
    for fade in find_fades(changes.contrast, cuts, _FADE_DEPTH):
        beside = any(fade.before < stop and fade.after >= first for first, stop in at_runs.runs)
        flash = any(first - 2 <= fade.before and fade.after <= stop + 1 for first, stop in interrupted)
        if not beside and not flash and shows_same_picture(film, fade) and not _returns(film, fade, frame_rate):
            fades.append(fade)
    return sorted(fades, key=lambda fade: fade.before)


def _returns(film: ThumbnailFilm, fade: Fade, frame_rate: float) -> bool:
    """Return whether a fade is short and ends with the picture that preceded it.

    Such a fade is a flash.
    """
    seconds = float(film.frames[fade.after] - film.frames[fade.before]) / frame_rate
    return seconds <= _QUICK and float(frame_distance(film.at(fade.before), film.at(fade.after)).total) < CUT_AT


def _without_echoes(transitions: list[Transition]) -> list[Transition]:
    """Keep only one of several consecutive transitions that are the same change.

    Applies if at least one of them is gradual and no shot fits between them.
    """
    transitions_left: list[Transition] = []
    for transition in sorted(transitions):
        last = transitions_left[-1] if transitions_left else None
        if last is None or not _is_echo(last, transition):
            transitions_left.append(transition)
        elif transition.kind == "cut" or last.kind == "cut":
            cut, gradual = (transition, last) if transition.kind == "cut" else (last, transition)
            # A dissolve that ends at a sure cut is mostly motion. The steps of a quick fade look like sure cuts.
            transitions_left[-1] = cut if gradual.kind == "dissolve" and cut.confidence >= _SURE else gradual
        else:
            # The ends of a fade look like dissolves. Of two dissolves the more confident one stays.
            transitions_left[-1] = max(transition, last, key=lambda gradual: (gradual.kind == "fade", gradual.confidence))
    return transitions_left


def _is_echo(last: Transition, transition: Transition) -> bool:
    """Return whether two consecutive transitions are the same change.

    That is so if both are likely, at least one is gradual, and no shot fits between them. `last`: the one before `transition`.
    """
    gradual = last.kind != "cut" or transition.kind != "cut"
    close = transition.start - last.end < _SHORTEST_SHOT
    return gradual and close and min(transition.confidence, last.confidence) >= _LIKELY
