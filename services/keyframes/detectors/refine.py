"""The very frame of a cut of which is known only between which two frames it lies."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.frame_distance import apart
from services.keyframes.analysis.scan import Measured
from services.keyframes.analysis.seek import frames_at
from services.keyframes.analysis.thumbnail_film import Planes, tiny_frame
from services.keyframes.detectors.hard_cuts import among, sureness
from services.keyframes.detectors.transition import Transition

LEAST = 0.3
"""A cut less likely than this stays where it is: nobody is told of it who does not ask."""


def exact_cuts(video: Path, measured: Measured, found: Sequence[Transition]) -> list[Transition]:
    """The same transitions, each hard cut at the largest of the changes between the frames next to it that were looked at.

    What lies between those is decoded now, and only that (and what it refers to). Where the change turns out to be spread over several
    frames, as that of a whip pan is, the cut becomes as unlikely as the largest of them alone.
    """
    spans = [_in_doubt(one, measured.film.frames) for one in found]
    pictures = _pictures(video, measured, [span for span in spans if span])
    return [settled(one, span.start, next(pictures)) if span else one for one, span in zip(found, spans, strict=True)]


def _in_doubt(one: Transition, looked_at: NDArray[np.int64]) -> range | None:
    """The frames among which a cut lies, if not all of those were looked at."""
    before = int(looked_at[max(int(np.searchsorted(looked_at, one.start)) - 1, 0)])
    doubtful = one.kind == "cut" and one.confidence >= LEAST and one.start - before > 1
    return range(before, one.start + 1) if doubtful else None


def settled(cut: Transition, first: int, pictures: Sequence[Planes]) -> Transition:
    """A cut that lies among frames of which `first` is the number of the first; `pictures` (3, 18, 32) each has them all."""
    if len(pictures) != cut.start - first + 1:
        return cut
    film = np.stack(pictures)
    changes = apart(film[:-1], film[1:]).distance.tolist()
    largest = int(np.argmax(changes))
    here = changes.pop(largest)
    at = first + 1 + largest
    return replace(cut, start=at, end=at, confidence=min(cut.confidence, sureness(among(here, max(changes)))))


def _pictures(video: Path, measured: Measured, spans: Sequence[range]) -> Iterator[list[Planes]]:
    """The frames of each span of numbers, those that can be found again; a span may begin with the last of the one before."""
    numbers = sorted({number for span in spans for number in span})
    times = [int(measured.pts[number]) * measured.time_base for number in numbers]
    seen: dict[int, Planes] = {}
    with closing(frames_at(video, times)) as frames:
        again = zip(numbers, frames, strict=False)
        for span in spans:
            seen = {number: picture for number, picture in seen.items() if number >= span.start}
            while not seen or max(seen) < span[-1]:
                number, frame = next(again, (span[-1], None))
                if frame is None:
                    break
                if frame.pts == measured.pts[number]:
                    seen[number] = tiny_frame(frame)
            yield [seen[number] for number in span if number in seen]
