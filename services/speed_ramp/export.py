"""speed-ramp.export: the curve of a video as files for editing programs, and as a picture."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from services.speed_ramp.choose_curve import choose_curve
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.from_motion import held, to_points
from services.speed_ramp.curve.straight_pieces import slow_parts
from services.speed_ramp.handover.plot import plot
from services.speed_ramp.handover.timelines import Handover, as_csv, as_fcpxml, as_json, as_otio
from services.speed_ramp.params import ExportParams, ExportResult
from shared.editing.rates import constant_rate
from shared.media.zip_writer import ZipWriter
from shared.operation import Progress, Silent
from shared.video import probe_video


def export(params: ExportParams, *, video: Path, outputs: Mapping[str, Path], progress: Progress = Silent()) -> ExportResult:
    """Write the curve of `video` into an archive (`files`: CSV, JSON, OpenTimelineIO, FCPXML) and draw it (`plot`, PNG).

    The curve is `params.curve`, or made of `params.speeds`, or analysed; only then is the video read. Raises what `analyze` raises.
    """
    info = probe_video(video)
    chosen = choose_curve(params, video, info, progress.part("analysing", 0, 0.9))
    start, end = params.start, chosen.end
    points, url = held(chosen.points, end, start=start), params.media_url or quote(video.name)
    name = Path(unquote(urlsplit(url).path)).name or video.name
    slow = slow_parts(points, start=start, end=end)
    rate = constant_rate(info.rate, varies=info.variable_frame_rate)
    given = Handover(name=name, media_url=url, info=info, points=points, start=start, end=end, rate=rate, slow=slow)
    stage = progress.part("writing", 0.9, 1)
    made = {"curve.csv": as_csv, "curve.json": as_json, "curve.otio": as_otio, "curve.fcpxml": as_fcpxml}
    with ZipWriter(outputs["files"], packed=True) as archive:
        for done, (file, write) in enumerate(made.items()):
            archive.add(file, write(given))
            stage(done, len(made) + 1)
    plot(given, chosen.analysis).save(outputs["plot"], format="PNG")
    stage(1, 1)
    return ExportResult(
        curve=to_points(points),
        duration_s=end - start,
        ramped_duration_s=float(Clock(points, start=start).left(end)),
        frame_rate=f"{given.rate.numerator}/{given.rate.denominator}",
        files=list(made),
        slow_parts=slow,
    )
