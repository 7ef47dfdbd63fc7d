"""Fades to and from a plain colour."""

from dataclasses import dataclass

import numpy as np

from services.keyframes.analysis.comparison.frame_changes import contrasts
from services.keyframes.analysis.scan import Scan
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm
from services.keyframes.detectors.footage import Detection, Footage
from services.keyframes.detectors.transition import Floats, Transition

# A side of a fade is its fade-out or its fade-in.
_AROUND = 30  # number of frames on each side of a fade; their highest contrast is the full contrast
_BLACK, _WHITE = 48, 190  # the plain picture within a fade has a mean level of at most the first, or at least the second
_SAME = 0.75  # minimum correlation of a picture with its faded version; motion keeps it below 1
_LONGEST = 75  # maximum number of frames of a fade-out, and of a fade-in
_FULL = 0.9  # share of the full contrast up to which growth is counted as fading; later growth may come from the picture itself
_SLOW = 0.2  # a fade-out or fade-in ends before two steps in a row below this share of its steepest step
_RAMP = 2  # minimum number of steps of the longer of fade-out and fade-in; a faster change is a cut


@dataclass(frozen=True, slots=True)
class Fade:
    """A fade between two frames of the film."""

    before: int
    """Index in the film of the last frame with full contrast before the fade."""
    after: int
    """Index in the film of the first frame with full contrast after the fade."""
    depth: float
    """Share of the contrast that the fade loses, 0 to 1."""


def detect_fades(footage: Footage, threshold: float) -> Detection:
    """Find fades that lose at least `threshold` of the contrast."""
    scan = footage.scan()
    contrast = contrasts(scan.film)
    transitions = [Transition(fade.before + 1, fade.after, "fade", fade.depth) for fade in find_fades(contrast, set(), threshold)]
    return Detection(scan=scan, transitions=transitions, scores=scan.spread(lost_contrast(contrast)))


def fade_scores(scan: Scan) -> Floats:
    """Score every frame by its loss of contrast.

    Returns (n,), 0 to 1; see `lost_contrast`.
    """
    return scan.spread(lost_contrast(contrasts(scan.film)))


def lost_contrast(contrast: Floats) -> Floats:
    """Return each frame's loss of contrast relative to its surroundings.

    `contrast`: (n,). Returns the lost share, (n,), 0 to 1. The contrast of the surroundings is the highest of the 30 places before or the
    highest of the 30 after, whichever is lower.
    """
    count = len(contrast)
    padded = np.concatenate([np.zeros(_AROUND, np.float32), contrast, np.zeros(_AROUND, np.float32)])
    highest = np.lib.stride_tricks.sliding_window_view(padded, _AROUND).max(axis=1)
    before, after = highest[:count], highest[_AROUND + 1 : _AROUND + 1 + count]
    full = np.minimum(before, after)
    return np.where(full > 1, np.clip(1 - contrast / np.maximum(full, 1e-6), 0, 1), 0).astype(np.float32)


def find_fades(contrast: Floats, cuts: set[int], threshold: float) -> list[Fade]:
    """Find fades by the contrast of each frame.

    `contrast`: (n,). `cuts`: places of cuts, which no fade contains. `threshold`: minimum share of the contrast that a fade loses, 0 to 1.
    """
    lost, count, fades = lost_contrast(contrast), len(contrast), []
    place = 1
    while place < count - 1:
        if lost[place] < threshold:
            place += 1
            continue
        first = last = place
        while last + 1 < count and lost[last + 1] >= threshold:
            last += 1
        before, after = first, last
        while before > 0 and before not in cuts and first - before < _LONGEST and contrast[before - 1] > _clearly_above(contrast[before]):
            before -= 1
        while (
            after < count - 1
            and after + 1 not in cuts
            and after - last < _LONGEST
            and contrast[after + 1] > _clearly_above(contrast[after])
        ):
            after += 1
        if first - before >= _RAMP or after - last >= _RAMP:
            begins, ends = first - _ramp_steps(contrast[before : first + 1][::-1]), last + _ramp_steps(contrast[last : after + 1])
            fades.append(Fade(begins, ends, float(lost[first : last + 1].max())))
        place = max(after, last) + 1
    return fades


def ramp_length(contrast: Floats, cuts: set[int]) -> int:
    """Count the steps of the fade-in at the start of `contrast`.

    `contrast`: (m,), beginning with a plain frame. `cuts`: places of cuts, before which the fade-in ends.
    """
    stop = 0
    while stop + 1 < len(contrast) and stop + 1 not in cuts and stop < _LONGEST and contrast[stop + 1] > _clearly_above(contrast[stop]):
        stop += 1
    return _ramp_steps(contrast[: stop + 1])


def _ramp_steps(contrast: Floats) -> int:
    """Count the steps in which `contrast` rises from a plain to a full picture.

    `contrast`: (m,). Slow changes of the full picture are not counted.
    """
    growth = np.diff(contrast)
    if not len(growth):
        return 0
    steepest = int(np.argmax(growth))
    slow = np.append(growth < _SLOW * growth[steepest], True)
    slow &= np.append(slow[1:], True)
    contrast = contrast[: steepest + 1 + int(np.argmax(slow[steepest + 1 :])) + 1]
    full = int(np.argmax(contrast >= _FULL * contrast[-1]))
    return min(round(full / _FULL), len(contrast) - 1)


def _clearly_above(contrast: float) -> float:
    """Return the contrast that a frame must exceed to be clearly above `contrast`."""
    return float(contrast) * 1.02 + 0.15


def shows_same_picture(film: ThumbnailFilm, fade: Fade) -> bool:
    """Return whether a fade shows one picture at varying strength.

    At least one side has to correlate with its full picture. The frame of least contrast has to be black or white.
    """
    luma = film.block(fade.before, fade.after + 1)[:, 0].astype(np.float32)
    contrast = luma.std(axis=(1, 2))
    emptiest = int(np.argmin(contrast))
    if _BLACK < float(luma[emptiest].mean()) < _WHITE:
        return False
    sides = [(luma[0], luma[: emptiest + 1]), (luma[-1], luma[emptiest:][::-1])]
    pairs = [(full, ramp[len(ramp) // 3]) for full, ramp in sides if len(ramp) > _RAMP]
    return any(
        float(np.corrcoef(full.ravel(), faint.ravel())[0, 1]) >= _SAME for full, faint in pairs if faint.std() > 0.5 and full.std() > 0.5
    )
