"""Table of export file formats."""

from collections.abc import Callable
from dataclasses import dataclass

from services.speed_ramp.handover.edl import as_edl, loss_warning
from services.speed_ramp.handover.ramped_clip import RampedClip
from services.speed_ramp.handover.tables import as_csv, as_json
from services.speed_ramp.handover.timelines import as_fcpxml, as_otio


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """An export file format, as a row of FORMATS.

    `write(clip)`: returns the text of the file; None if the format cannot hold the clip. `warning(clip)`: returns a warning if the file is
    less exact than the curve, else None.
    """

    file_name: str
    write: Callable[[RampedClip], str | None]
    warning: Callable[[RampedClip], str | None] = lambda _clip: None


FORMATS = (
    Format(file_name="curve.csv", write=as_csv),
    Format(file_name="curve.json", write=as_json),
    Format(file_name="curve.otio", write=as_otio),
    Format(file_name="curve.fcpxml", write=as_fcpxml),
    Format(file_name="curve.edl", write=as_edl, warning=loss_warning),
)
