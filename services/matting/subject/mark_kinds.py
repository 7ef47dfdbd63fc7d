"""Table of the kinds of marks on an object, with their words in messages."""

from dataclasses import dataclass

from services.matting.subject.pointing import Pointing


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkKind:
    """A kind of mark on an object.

    `place`: where the object must be, after "found no object". `remedy`: what to try if it is not there.
    """

    place: str
    remedy: str


STROKES = MarkKind(place="at the strokes", remedy="Mark another place")
CLICKS = MarkKind(place="at the clicks", remedy="Mark another place")
BOX = MarkKind(place="in the box", remedy="Draw another box")
CLICKS_AND_BOX = MarkKind(place="at the clicks and in the box", remedy="Mark another place")
UNMARKED = MarkKind(place="in this frame", remedy="Choose another frame")


def mark_kind(pointing: Pointing, *, strokes: bool) -> MarkKind:
    """Return the kind of the marks that choose the object. `strokes`: strokes replace clicks and box."""
    if strokes:
        return STROKES
    if pointing.points:
        return CLICKS_AND_BOX if pointing.box is not None else CLICKS
    return UNMARKED if pointing.box is None else BOX
