"""speed-ramp.render: video and curve -> retimed video."""

from pathlib import Path

from services.speed_ramp.params import RenderParams, RenderResult
from shared.operation import Progress, Silent


def render(params: RenderParams, *, video: Path, output: Path, progress: Progress = Silent()) -> RenderResult:
    """Write `video` to `output`, retimed along a speed curve."""
    raise NotImplementedError
