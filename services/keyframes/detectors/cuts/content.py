"""Table of content kinds (film, slides) with their thresholds."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.keyframes.analysis.comparison.frame_changes import FrameChanges
from services.keyframes.detectors.cuts.overlays import LARGEST_OVERLAY

_STILL, _STILL_SHARE = 0.3, 0.85
"""Limits for still frames and for slides. A frame is still if its structure changes by at most _STILL grey levels. A video consists of
slides if at least the share _STILL_SHARE of its frames is still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A kind of content with its thresholds, as a row of `CONTENTS`."""

    name: str
    label: str
    """Label in a form."""
    description: str
    """What the video shows, as one clause for the API reference."""
    largest_overlay: float
    """Largest share of the picture that an overlay changes. A larger change is a cut."""
    least_step: float
    """Minimum change of structure at a cut, relative to texture."""
    least_structure: float
    """Minimum change of structure at a cut, in levels."""


FILM = Content(
    name="film",
    label="Film",
    description="filmed or drawn pictures, over which captions and logos may pop in",
    largest_overlay=LARGEST_OVERLAY,
    least_step=0.08,
    least_structure=3.5,
)
SLIDES = Content(
    name="slides",
    label="Slides",
    description="slides or a screen: a change of text begins a new shot, an added line does not",
    largest_overlay=0.12,
    least_step=0.04,
    least_structure=2.0,
)
CONTENTS: Mapping[str, Content] = {content.name: content for content in (FILM, SLIDES)}


def content_of(name: str, changes: FrameChanges) -> Content:
    """Return the content kind `name`; for `auto`, the kind found in `changes`.

    A video in which nearly all frames stand still consists of slides.
    """
    if name != "auto":
        return CONTENTS[name]
    frames = max(len(changes.structure) - 1, 1)
    still = int((changes.structure[1:] <= _STILL).sum())
    return SLIDES if still >= _STILL_SHARE * frames else FILM
