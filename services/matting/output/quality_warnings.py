"""Totals over the frames of a matte, and warnings about its quality."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from services.matting.backends.backend import Backend
from services.matting.subject.tracker import Tracker

_NOTHING = 5e-5
"""Largest share of visible pixels in a matte that shows no subject. They are specks of noise."""


@dataclass(slots=True)
class Tally:
    """Totals over the frames: count, coverage and time range."""

    frames: int = 0
    coverage: float = 0.0
    visible: float = 0.0
    start: Fraction = Fraction(0)
    end: Fraction = Fraction(0)

    def add(self, coverage: float, visible: float, end: Fraction, start: Fraction) -> None:
        if not self.frames:
            self.start = start
        self.frames += 1
        self.coverage += coverage
        self.visible = max(self.visible, visible)
        self.end = end


def quality_warnings(backend: Backend, subject: str, tracker: Tracker | None, tally: Tally, *, follows_main: bool) -> Iterator[str]:
    """Yield warnings about the quality of a matte.

    `follows_main`: the user chose the main object as the subject, so that a new one after a cut is no surprise.
    """
    lost, rechosen = (tracker.lost, tracker.rechosen) if tracker else (0, 0)
    if tally.visible < _NOTHING and lost:
        yield (
            f"The backend {backend.name} found no subject where `{subject}` marks one: the matte is black. Mark another place, "
            "or choose `all` as `subject`."
        )
    elif tally.visible < _NOTHING:
        yield (
            f"The backend {backend.name}, which looks for {backend.finds}, found no subject: the matte is black. Choose another backend."
        )
    elif lost:
        yield f"In {lost} of {tally.frames} frames, the subject was not found, only other objects."
    if rechosen and not follows_main:
        yield f"After {rechosen} cuts, the main object became the subject, because the marks apply to the first shot only."
    if backend.name == "u2netp":
        yield (
            "The backend u2netp is a small network with coarse edges. A better one for people is rvm. To install it, "
            "run: reelwright models pull rvm-mobilenetv3"
        )
