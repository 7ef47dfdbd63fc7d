"""Fades to and from runs of plain frames, which show one colour.

A plain picture between two shots is a shot of its own if it stays for a second, or if one side is a hard cut. Otherwise a fade to it and
the fade from it are one transition.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.thumbnail_film import ThumbnailFilm
from services.keyframes.detectors.gradual.fades import Fade, ramp_length, shows_same_picture
from services.keyframes.detectors.transition import Floats

_SHORT, _LONG = 0.36, 1.0
"""Shortest run, and shortest run that is a shot, in seconds. A run between two fades is a shot if it lasts at least _LONG
seconds. At the start and end of the video, shorter runs are left out."""
_RAMP = 3  # minimum number of steps of a fade


@dataclass(frozen=True, slots=True)
class PlainRuns:
    """Runs of plain frames, and the fades to and from them."""

    fades: list[Fade]
    runs: list[tuple[int, int]]
    """Film indices of each run: its first frame, and the frame after its last."""


def fades_at_plain_runs(film: ThumbnailFilm, plain: NDArray[np.bool_], contrast: Floats, cuts: set[int], frame_rate: float) -> PlainRuns:
    """Find runs of plain frames, and the fades to and from them.

    `plain`: (n,), whether each frame is plain. `contrast`: (n,). `cuts`: places of cuts, which no fade contains. `frame_rate`: frames per
    second.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], plain, [False]]).astype(np.int8)))
    fades: list[Fade] = []
    runs: list[tuple[int, int]] = []
    count = len(film)
    for first, stop in edges.reshape(-1, 2).tolist():
        seconds = float(film.frames[stop - 1] - film.frames[first] + 1) / frame_rate
        inner = first > 0 and stop < count
        if seconds < (_SHORT if inner else _LONG):
            continue
        runs.append((first, stop))
        fade_out = _fade_out(film, contrast, cuts, first)
        fade_in = _fade_in(film, contrast, cuts, stop - 1)
        if fade_out and fade_in and seconds < _LONG:
            fades.append(Fade(fade_out.before, fade_in.after, 1.0))
        else:
            fades += [fade for fade in (fade_out, fade_in) if fade]
    return PlainRuns(fades, runs)


def _fade_out(film: ThumbnailFilm, contrast: Floats, cuts: set[int], first: int) -> Fade | None:
    steps = ramp_length(contrast[: first + 1][::-1], {first + 1 - cut for cut in cuts})
    fade = Fade(first - steps, first, 1.0)
    return fade if steps >= _RAMP and shows_same_picture(film, fade) else None


def _fade_in(film: ThumbnailFilm, contrast: Floats, cuts: set[int], last: int) -> Fade | None:
    steps = ramp_length(contrast[last:], {cut - last for cut in cuts})
    fade = Fade(last, last + steps, 1.0)
    return fade if steps >= _RAMP and shows_same_picture(film, fade) else None
