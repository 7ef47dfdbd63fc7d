"""Why a picture was chosen, in words and figures."""

from services.aesthetics.measures.technical import WEIGHTS
from services.aesthetics.selection.scoring import Scored

_SAID = {
    "sharpness": ("very sharp", "sharp", "soft", "blurred"),
    "exposure": ("very well exposed", "well exposed", "unevenly exposed", "badly exposed"),
    "steadiness": ("no motion blur", "hardly any motion blur", "some motion blur", "smeared by motion"),
    "cleanness": ("free of noise", "little noise", "noise", "much noise"),
}
_STEPS = {
    "sharpness": (0.6, 0.45, 0.3),
    "exposure": (0.9, 0.7, 0.4),
    "steadiness": (0.95, 0.7, 0.4),
    "cleanness": (0.9, 0.75, 0.5),
}


def reason(best: Scored, *, chosen_from: str, ahead: float | None) -> str:
    """A sentence or two. `chosen_from`: such as "Best of 5 frames"; `ahead`: how much more merit it has than the next one."""
    parts = [f"{chosen_from}: merit {best.merit:.2f}" + (f", {ahead:.2f} ahead of the next." if ahead is not None else ".")]
    if best.std is not None:
        parts.append(f"Rated {best.score:.2f} of 10 by the network, give or take {best.std:.2f}.")
    parts.append(in_words(best))
    return " ".join(parts)


def in_words(one: Scored) -> str:
    """The technical quality of a picture, such as "Technically 7.9 of 10: sharp (0.52), well exposed (0.88), ..."."""
    found = one.look.technical
    words = []
    for name in WEIGHTS:
        value = getattr(found, name)
        step = next((number for number, least in enumerate(_STEPS[name]) if value >= least), len(_STEPS[name]))
        words.append(f"{_SAID[name][step]} ({value:.2f})")
    blank = "" if found.shows == "picture" else f" It is a {found.shows} frame, which counts against it."
    return f"Technically {found.score:.1f} of 10: {', '.join(words)}.{blank}"


def clock(seconds: float) -> str:
    """Seconds as people read them: 1:02:03.4."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
