"""Choice of keyframes: the best frame of each shot."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.scan import Scan
from services.keyframes.selection.ratings import EDGE, QUALITIES, Floats, ShotLooks, price, rate, score
from services.keyframes.selection.shots import Shot
from services.keyframes.selection.similar_frames import group_similar


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A chosen frame, with its ratings and the reasons for the choice.

    Ratings are 0 to 1. `like`: shots whose keyframes were left out because they look like this frame.
    """

    frame: int
    shot: int
    score: float
    sharpness: float
    exposure: float
    typical: float
    stillness: float
    reasons: tuple[str, ...]
    like: tuple[int, ...] = ()


def choose_keyframes(
    scan: Scan, shots: Sequence[Shot], *, max_keyframes: int, min_gap: float = 0.0, deduplicate: bool = False
) -> list[Choice]:
    """Choose the best frame of each shot, in order.

    Good frames are sharp for their shot, well exposed, near the shot's average, and still. At most `max_keyframes` are chosen. They are at
    least `min_gap` seconds apart: of two frames that are closer, the better frame stays, and the other shot gets its next best frame that
    is far enough away. `deduplicate` keeps only the best of keyframes that look alike.
    """
    prices = price(scan.frames_since_key())
    ends = [*(shot.transition_start_frame for shot in shots[1:]), len(scan.pts)]
    rated_shots = map(partial(_rate, scan), shots, ends)
    if min_gap:
        choices = _choices_apart(scan, rated_shots, prices, min_gap)
    else:
        # Only the choices are kept: the ratings of all frames of a long film take much memory.
        best = [(float(rated.score.max()), rated.choice(int(np.argmax(rated.score - prices[rated.frames])))) for rated in rated_shots]
        choices = [choice for _, choice in sorted(best, key=lambda pair: -pair[0])]
    choices.sort(key=lambda choice: -choice.score)
    if deduplicate:
        choices = _without_look_alikes(scan, choices, max_keyframes)
    return sorted(choices[:max_keyframes], key=lambda choice: choice.frame)


@dataclass(frozen=True, slots=True)
class _RatedShot:
    """Eligible frames of a shot with their ratings."""

    shot: int
    frames: NDArray[np.int64]
    """Numbers of the frames in the video, (k,)."""
    ratings: dict[str, Floats]
    """Name of a quality -> ratings, (k,), 0 to 1."""
    score: Floats
    """Weighted sum of the ratings, (k,), 0 to 1."""

    def choice(self, place: int) -> Choice:
        """Create the choice of the eligible frame at index `place`."""
        rating = {name: float(values[place]) for name, values in self.ratings.items()}
        reasons = tuple(quality.reason for quality in QUALITIES if rating[quality.name] >= quality.good)
        return Choice(
            frame=int(self.frames[place]),
            shot=self.shot,
            score=float(self.score[place]),
            sharpness=rating["sharpness"],
            exposure=rating["exposure"],
            typical=rating["typical"],
            stillness=rating["stillness"],
            reasons=reasons or ("the best frame of its shot",),
        )


def _choices_apart(scan: Scan, rated_shots: Iterable[_RatedShot], prices: Floats, min_gap: float) -> list[Choice]:
    """Choose a frame of each shot, at least `min_gap` seconds from better choices.

    The best such frame is chosen. A shot without one gets no choice.
    """
    choices: list[Choice] = []
    chosen_times: list[float] = []  # rising
    seconds = scan.pts * float(scan.time_base)
    for rated in sorted(rated_shots, key=lambda rated: -float(rated.score.max())):
        allowed = np.ones(len(rated.frames), dtype=bool)
        times = seconds[rated.frames]
        # Compare with nearby keyframes only: a film can have ten thousand shots.
        nearby = slice(bisect_left(chosen_times, times[0] - min_gap), bisect_right(chosen_times, times[-1] + min_gap))
        for chosen_time in chosen_times[nearby]:
            # Half a tick of tolerance, so that a gap of exactly `min_gap` is allowed.
            allowed &= np.abs(times - chosen_time) > min_gap - float(scan.time_base) / 2
        if allowed.any():
            choice = rated.choice(int(np.argmax(np.where(allowed, rated.score - prices[rated.frames], -1))))
            choices.append(choice)
            insort(chosen_times, float(seconds[choice.frame]))
    return choices


def _rate(scan: Scan, shot: Shot, next_transition: int) -> _RatedShot:
    """Rate the eligible frames of a shot.

    `next_transition`: first frame of the transition at the end of the shot.
    """
    first, last = np.searchsorted(scan.film.frames, [shot.start_frame, shot.end_frame])
    # Leave out transitions and frames right next to a cut if the shot has others.
    inner = np.searchsorted(scan.film.frames, [shot.transition_end_frame + EDGE, next_transition - EDGE])
    if inner[1] > inner[0]:
        first, last = inner
    part = slice(int(first), max(int(last), int(first) + 1))
    sharpness = scan.sharpness[part].astype(np.float64)
    layout = scan.layout[part].astype(np.float64)
    looks = ShotLooks(float(np.percentile(sharpness, 95)), layout.mean(axis=0))
    ratings = rate(sharpness, scan.exposure[part].astype(np.float64), layout, scan.pixel_change[part].astype(np.float64), looks)
    return _RatedShot(shot.index, scan.film.frames[part], ratings, score(ratings))


def _without_look_alikes(scan: Scan, choices: list[Choice], max_choices: int) -> list[Choice]:
    """Keep only the first of several choices that look alike.

    It lists the shots of the dropped choices in `like`, and their number in a reason. At most `max_choices` choices are kept.
    """
    places = np.searchsorted(scan.film.frames, [choice.frame for choice in choices])
    survivors = []
    for group in group_similar(scan.film, scan.layout, places.tolist(), max_groups=max_choices):
        best, *others = (choices[number] for number in group)
        if others:
            shots = sorted(choice.shot for choice in others)
            reason = (
                f"stands for {len(shots)} more {'shot' if len(shots) == 1 else 'shots'} that "
                f"{'looks' if len(shots) == 1 else 'look'} like it"
            )
            best = replace(best, like=tuple(shots), reasons=(*best.reasons, reason))
        survivors.append(best)
    return survivors
