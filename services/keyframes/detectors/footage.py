"""Input and result of shot detectors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.keyframes.analysis.scan import Scan
from services.keyframes.analysis.scanner import FrameHolder, scan_video
from services.keyframes.analysis.small_frame import SmallFrame
from services.keyframes.detectors.transition import Floats, Transition
from shared.operation import Progress
from shared.video import VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A video to be searched for shots.

    `thumbnails`: path of a file for the thumbnails of a scan. `fast`: let the detector skip frames, at the cost of some accuracy.
    `all_measures`: scan with the measures of every detector.
    `content`: what the video shows, a name in CONTENTS, or auto. `holder`: gets the scanned frames in full quality, if that saves work.
    """

    video: Path
    info: VideoInfo
    thumbnails: Path
    progress: Progress
    fast: bool = False
    all_measures: bool = False
    content: str = "auto"
    holder: FrameHolder | None = None

    def scan(self, watch: Callable[[SmallFrame], None] | None = None) -> Scan:
        """Scan every frame of the video.

        `watch`: called with each frame.
        """
        return scan_video(self.video, self.info, self.thumbnails, self.progress, watch=watch, holder=self.holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A detector's result for one video."""

    scan: Scan
    transitions: list[Transition]
    """Transitions that reach the threshold, in order."""
    scores: Floats
    """Score of every frame, (n,)."""
    candidates: list[Transition] | None = None
    """All rated transitions in order, whatever their confidence. None for detectors that rate frames rather than transitions."""
