"""Explanations of why a picture was chosen."""

from services.aesthetics.measures.technical_quality import WEIGHTS
from services.aesthetics.selection.scoring import ScoredView

_NOTICEABLE = 0.05
"""Difference in merit below which two pictures are about equal."""
_SHARP = 0.45  # minimum sharpness of a sharp picture, 0 to 1
_WORDS = {
    "sharpness": ((0.6, "very sharp"), (_SHARP, "sharp"), (0.3, "soft"), (0.0, "blurred")),
    "exposure": ((0.9, "very well exposed"), (0.7, "well exposed"), (0.4, "unevenly exposed"), (0.0, "badly exposed")),
    "steadiness": ((0.95, "no motion blur"), (0.7, "hardly any motion blur"), (0.4, "some motion blur"), (0.0, "strong motion blur")),
    "cleanness": ((0.9, "free of noise"), (0.75, "little noise"), (0.5, "noise"), (0.0, "much noise")),
}
"""Measure -> grades, each with its minimum value and its text."""


def reason(best: ScoredView, *, chosen_from: str, ahead: float | None) -> str:
    """Explain in a few sentences why the picture `best` was chosen.

    `chosen_from`: text such as "Best of 5 frames". `ahead`: difference in merit from the next-best picture; None without one.
    """
    parts = [f"{chosen_from}: merit {best.merit:.2f}{_lead(ahead)}."]
    if best.std is not None:
        parts.append(f"Rated {best.score:.2f} of 10 by the network, with a spread of {best.std:.2f}.")
    parts.append(in_words(best))
    return " ".join(parts)


def _lead(ahead: float | None) -> str:
    if ahead is None:
        return ""
    return f", {ahead:.2f} ahead of the next" if ahead >= _NOTICEABLE else ", about equal to the next"


def in_words(picture: ScoredView) -> str:
    """Describe a picture's technical quality in words.

    For example "Technically 7.9 of 10: sharp (0.52), well exposed (0.88), ...".
    """
    measures = picture.view.technical
    words = []
    for name in WEIGHTS:
        value = getattr(measures, name)
        grade = next((text for least, text in _WORDS[name] if value >= least), _WORDS[name][-1][1])
        if name == "sharpness" and value < _SHARP <= measures.focus:
            grade, value = "sharp in focus", measures.focus
        words.append(f"{grade} ({value:.2f})")
    blank = "" if measures.shows == "picture" else f" It is a {measures.shows} frame, which lowers its score."
    return f"Technically {measures.score:.1f} of 10: {', '.join(words)}.{blank}"


def clock(seconds: float) -> str:
    """Format seconds as a clock time such as 1:02:03.4."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
