"""Fades: the picture goes to one colour and another one comes out of it."""

from dataclasses import dataclass

import numpy as np

from services.keyframes.analysis.consecutive import Floats
from services.keyframes.analysis.thumbnail_film import TinyFilm

_AROUND = 30  # places on each side in which the fullest contrast is looked for
_BLACK, _WHITE = 48, 190  # brightness, as stored, of an empty picture
_SAME = 0.75  # correlation of a picture with itself when fainter, though something moves
_LONGEST = 75
_FULL = 0.9  # of a side's contrast: from there on it may be the picture's own that grows
_SLOW = 0.2  # of a side's steepest step: two steps slower than that are no longer of the fade
_RAMP = 2  # steps that a side needs at least: what goes at once is cut


@dataclass(frozen=True, slots=True)
class Fade:
    """Places of the last frame before it and the first after it; `depth` is the share of the contrast that is gone, 0 to 1."""

    before: int
    after: int
    depth: float


def is_fade(film: TinyFilm, fade: Fade) -> bool:
    """Whether the picture goes to black or white, or comes out of it, and is the same all the way, only fainter."""
    part = film.block(fade.before, fade.after + 1)[:, 0].astype(np.float32)
    contrast = part.std(axis=(1, 2))
    emptiest = int(np.argmin(contrast))
    if _BLACK < float(part[emptiest].mean()) < _WHITE:
        return False
    sides = [(part[0], part[: emptiest + 1]), (part[-1], part[emptiest:][::-1])]
    ramps = [(full, ramp[len(ramp) // 3]) for full, ramp in sides if len(ramp) > _RAMP]
    return any(
        float(np.corrcoef(full.ravel(), faint.ravel())[0, 1]) >= _SAME for full, faint in ramps if faint.std() > 0.5 and full.std() > 0.5
    )


def emptiness(contrast: Floats) -> Floats:
    """(n,): of each frame the share of the contrast around it that is gone, 0 to 1: the score that fades are found by.

    "Around" is the fuller half second on either side, whichever of the two is the less full.
    """
    count = len(contrast)
    padded = np.concatenate([np.zeros(_AROUND, np.float32), contrast, np.zeros(_AROUND, np.float32)])
    highest = np.lib.stride_tricks.sliding_window_view(padded, _AROUND).max(axis=1)
    before, after = highest[:count], highest[_AROUND + 1 : _AROUND + 1 + count]
    full = np.minimum(before, after)
    return np.where(full > 1, np.clip(1 - contrast / np.maximum(full, 1e-6), 0, 1), 0).astype(np.float32)


def fades(contrast: Floats, cuts: set[int], threshold: float) -> list[Fade]:
    """The fades of a film. `cuts` (places) end what is looked at; `threshold` is how much of the contrast must be gone."""
    empty, count, found = emptiness(contrast), len(contrast), []
    place = 1
    while place < count - 1:
        if empty[place] < threshold:
            place += 1
            continue
        first = last = place
        while last + 1 < count and empty[last + 1] >= threshold:
            last += 1
        before, after = first, last
        while before > 0 and before not in cuts and first - before < _LONGEST and contrast[before - 1] > _rising(contrast[before]):
            before -= 1
        while after < count - 1 and after + 1 not in cuts and after - last < _LONGEST and contrast[after + 1] > _rising(contrast[after]):
            after += 1
        if first - before >= _RAMP or after - last >= _RAMP:
            begins, ends = first - _ramp(contrast[before : first + 1][::-1]), last + _ramp(contrast[last : after + 1])
            found.append(Fade(begins, ends, float(empty[first : last + 1].max())))
        place = max(after, last) + 1
    return found


def _ramp(contrast: Floats) -> int:
    """How many steps of a side, from the empty picture to the full, are the fade's: not the slow change of a picture that is full."""
    grows = np.diff(contrast)
    if not len(grows):
        return 0
    steepest = int(np.argmax(grows))
    slow = np.append(grows < _SLOW * grows[steepest], True)
    slow &= np.append(slow[1:], True)
    contrast = contrast[: steepest + 1 + int(np.argmax(slow[steepest + 1 :])) + 1]
    full = int(np.argmax(contrast >= _FULL * contrast[-1]))
    return min(round(full / _FULL), len(contrast) - 1)


def _rising(contrast: float) -> float:
    return float(contrast) * 1.02 + 0.15
