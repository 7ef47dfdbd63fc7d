"""Exact positions of cuts at which the scan skipped frames."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.frame_changes import is_plain
from services.keyframes.analysis.comparison.frame_distance import frame_distance
from services.keyframes.analysis.comparison.structure_change import structure_change
from services.keyframes.analysis.scan import Scan
from services.keyframes.analysis.seek import frames_at
from services.keyframes.analysis.thumbnail_film import Planes, frame_thumbnail
from services.keyframes.detectors.cuts.hard_cuts import CUT_AT, STILL, confidence_of, less_motion, step_confidence
from services.keyframes.detectors.transition import Transition
from shared.errors import BrokenMedia
from shared.video import Frame

_MIN_CONFIDENCE = 0.3  # minimum confidence of a cut whose skipped frames are decoded


def refine_cuts(video: Path, scan: Scan, transitions: Sequence[Transition]) -> list[Transition]:
    """Find the exact frame of each cut that lies among skipped frames.

    Returns `transitions` with those cuts moved to the frame with the largest change. Only the skipped frames around such cuts are decoded.
    If the change is spread over several frames, as in a whip pan, the confidence drops to that of the largest single step. Other
    transitions are returned unchanged.
    """
    spans = [_skipped_span(transition, scan.film.frames) for transition in transitions]
    thumbnails = _span_thumbnails(video, scan, [span for span in spans if span])
    return [
        refined(transition, span.start, next(thumbnails)) if span else transition
        for transition, span in zip(transitions, spans, strict=True)
    ]


def _skipped_span(transition: Transition, scanned: NDArray[np.int64]) -> range | None:
    """Return the range of skipped frames in which a cut lies.

    The range starts at the last scanned frame before the cut. None if no frame was skipped, and for unlikely or gradual transitions.
    """
    before = int(scanned[max(int(np.searchsorted(scanned, transition.start)) - 1, 0)])
    bracketed = transition.kind == "cut" and transition.confidence >= _MIN_CONFIDENCE and transition.start - before > 1
    return range(before, transition.start + 1) if bracketed else None


def refined(cut: Transition, first: int, thumbnails: Sequence[Planes]) -> Transition:
    """Move a cut to the largest change among skipped frames.

    `thumbnails`: thumbnails of the frames `first` to `cut.start`, (3, 18, 32) each. If some are missing, the cut is returned unchanged.
    """
    if len(thumbnails) != cut.start - first + 1:
        return cut
    film = np.stack(thumbnails)
    numbers = np.arange(first, cut.start + 1)
    # Blank frames between two shots are left out, but not the frames of a new shot that is plain itself.
    visible = ~is_plain(film) | is_plain(film[-1:])
    visible[0] = visible[-1] = True
    film, numbers = film[visible], numbers[visible]
    distances = frame_distance(film[:-1], film[1:]).total
    structures = structure_change(film[:-1], film[1:])
    # A cut to a closer view of the same picture (punch-in) changes only the structure.
    step = int(np.argmax(distances if distances.max() >= CUT_AT else structures))
    others = np.delete(distances, step), np.delete(structures, step)
    confidence = max(
        confidence_of(less_motion(float(distances[step]), float(others[0].max(initial=0.0)))),
        step_confidence(float(structures[step]) / (float(others[1].max(initial=0.0)) + STILL)),
    )
    frame = int(numbers[step + 1])
    return replace(cut, start=frame, end=frame, confidence=min(cut.confidence, confidence))


def _span_thumbnails(video: Path, scan: Scan, spans: Sequence[range]) -> Iterator[list[Planes]]:
    """Yield the thumbnails of each frame span.

    A span may begin with the last frame of the previous span. Frames that cannot be decoded again are left out.
    """
    numbers = sorted({number for span in spans for number in span})
    decoded: dict[int, Planes] = {}
    with closing(frames_at(video, [scan.exact_time(number) for number in numbers])) as frames:
        numbered = ((int(np.searchsorted(scan.pts, frame.pts)), frame) for frame in _readable(frames))
        for span in spans:
            decoded = {number: planes for number, planes in decoded.items() if number >= span.start}
            while not decoded or max(decoded) < span[-1]:
                number, frame = next(numbered, (span[-1], None))
                if frame is None:
                    break
                if number < len(scan.pts) and frame.pts == scan.pts[number]:
                    decoded[number] = frame_thumbnail(frame)
            yield [decoded[number] for number in span if number in decoded]


def _readable(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield `frames` up to the first one that raises BrokenMedia."""
    try:
        yield from frames
    except BrokenMedia:
        return
