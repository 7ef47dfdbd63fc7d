"""Post-processing of a backend's mattes: smoothing, limits, subject choice."""

from collections import deque
from collections.abc import Generator, Iterator

from services.matting.backends.backend import Alpha, OpenedBackend, Setup, View
from services.matting.output.finished_frames import BackendFrame
from services.matting.output.limits import Limits
from services.matting.steadiness.smoothing import MatteSmoother
from services.matting.subject.tracker import First, Tracker

_MAX_CUTS = 1000


class MatteFrames:
    """Post-processing of one clip's mattes.

    `steadiness`: strength of the smoothing from frame to frame, 0 for none. `first`: chooses the subject in the first frame; None keeps
    everything.
    """

    def __init__(self, setup: Setup, *, steadiness: float, first: First | None) -> None:
        self.steadiness = steadiness
        self.tracker = Tracker(first) if first else None
        self.cuts: list[float] = []
        """Times of the clip's first 1000 cuts, in seconds."""
        self._limits = Limits(setup.garbage, setup.core)
        self._smoother = MatteSmoother(steadiness) if steadiness else None

    def frames(self, opened: OpenedBackend, views: Iterator[View]) -> Generator[BackendFrame]:
        """Yield each frame with its processed matte."""
        waiting: deque[View] = deque()

        def kept() -> Iterator[View]:
            for view in views:
                waiting.append(view)
                yield view

        for matte in opened.mattes(kept()):
            view = waiting.popleft()
            if view.cut and view.index and len(self.cuts) < _MAX_CUTS:
                self.cuts.append(view.time_s)
            alpha = self._limits.applied(self._steadied(matte.alpha, view))
            gate = self.tracker.gate(alpha, view.gray, cut=view.cut) if self.tracker else None
            yield BackendFrame(view.frame, view.rgb, alpha, matte.foreground, gate)

    def _steadied(self, alpha: Alpha, view: View) -> Alpha:
        if self._smoother is None:
            return alpha
        if view.cut:
            self._smoother.reset()
        return self._smoother.smooth(view.gray, alpha)
