"""speed-ramp.analyze: video -> motion and speed curve."""

from pathlib import Path

from services.speed_ramp.params import AnalyzeParams, AnalyzeResult
from shared.operation import Progress, Silent


def analyze(params: AnalyzeParams, *, video: Path, progress: Progress = Silent()) -> AnalyzeResult:
    """Measure the motion of `video` and make a speed curve from it."""
    raise NotImplementedError
