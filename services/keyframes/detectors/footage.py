"""The video that a detector searches, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.keyframes.analysis.scan import Scan, scan_video
from services.keyframes.analysis.small_frame import SmallFrame
from services.keyframes.detectors.transition import Floats, Transition
from shared.operation import Progress
from shared.video import VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A video to search for shots.

    `thumbnails`: a file for the thumbnails of a scan. `fast`: skip what a detector can do without, at some accuracy.
    """

    video: Path
    info: VideoInfo
    thumbnails: Path
    progress: Progress
    fast: bool = False

    def scan(self, watch: Callable[[SmallFrame], None] | None = None) -> Scan:
        """Scan every frame. `watch` is called with each."""
        return scan_video(self.video, self.info, self.thumbnails, self.progress, watch=watch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The transitions of a video that reach the threshold, in order.

    `scores`: (n,) the detector's score of every frame. `candidates`: for detectors that rate transitions rather than frames, all rated
    transitions in order, whatever their confidence.
    """

    scan: Scan
    transitions: list[Transition]
    scores: Floats
    candidates: list[Transition] | None = None
