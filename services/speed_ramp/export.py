"""speed-ramp.export: export a speed curve to editing programs."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, Field

from services.speed_ramp.analysis.choice import choose_curve
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint, to_points
from services.speed_ramp.curve.slow_parts import SlowPart, slow_parts
from services.speed_ramp.curve.trim import trimmed
from services.speed_ramp.handover.formats import FORMATS
from services.speed_ramp.handover.plot import plot
from services.speed_ramp.handover.ramped_clip import RampedClip
from services.speed_ramp.handover.rates import SOURCE, timeline_rate
from services.speed_ramp.motion.motion_store import MOTION
from services.speed_ramp.params import SPEED_SHAPES, CurveParams
from shared.declarations.figure import figure
from shared.editing.rates import constant_rate
from shared.media.zip_files.writer import ZipWriter
from shared.operation import Kind, Operation, Progress, Silent, form
from shared.video import probe_video, track_warnings


class ExportParams(CurveParams):
    """Params of an export: the curve, and the clip's address in the exported files."""

    media_url: str = Field(
        "",
        max_length=2000,
        description="Address of the clip for the editing program, such as `file:///Volumes/Cut/clip.mov`. Empty: the clip's file name, "
        "for a clip in the same folder as the exported files.",
        title="Clip address",
        json_schema_extra=form("more"),
    )


class ExportResult(BaseModel):
    """Summary of the exported files."""

    curve: list[CurvePoint] = Field(
        description="Control points of the curve over the used part of the clip, in seconds of source.",
        json_schema_extra=figure("speed_curve"),
    )
    duration_s: float = Field(description="Length of the used part, in seconds of source.", json_schema_extra=figure("clip_length"))
    ramped_duration_s: float = Field(
        description="Length of the video along the curve, in seconds of output: the integral of 1/speed.",
        json_schema_extra=figure("result_length"),
    )
    frame_rate: str = Field(
        description='Frames per second of the timelines as an exact fraction, such as "30000/1001".', json_schema_extra=figure("frame_rate")
    )
    files: list[str] = Field(description="Names of the files in the archive.")
    slow_parts: list[SlowPart] = Field(description="Slow parts; the timelines have a marker for each.")


def export(
    params: ExportParams, *, video: Path, outputs: Mapping[str, Path], progress: Progress = Silent(), motion: Path | None = None
) -> ExportResult:
    """Export a video's speed curve as files and a plot.

    `outputs`: `files`, an archive with one file per row of FORMATS, and `plot`, a PNG picture. The curve is `params.curve`, or made from
    `params.speeds`, or analysed; the video is read only to analyse it or to find beats. `motion`: see `analyze`. Raises the errors of
    `analyze`.
    """
    info = probe_video(video)
    for warning in [*info.warnings, *track_warnings(info)]:
        progress.warn(warning)
    choice = choose_curve(params, video, info, progress.part("analysing", 0, 0.9), motion=motion)
    points = trimmed(choice.points, choice.end, start=params.start)
    url = params.media_url or quote(video.name)
    clip = RampedClip(
        name=Path(unquote(urlsplit(url).path)).name or video.name,
        media_url=url,
        info=info,
        points=points,
        start=params.start,
        end=choice.end,
        rate=timeline_rate(params.frame_rate, info),
        media_rate=constant_rate(info.steady_rate, varies=False),
        slow_parts=slow_parts(points, start=params.start, end=choice.end),
    )
    if params.frame_rate == SOURCE and clip.rate != clip.media_rate:
        progress.warn(
            f"Some editing programs do not support timelines of {float(clip.media_rate):g} frames per second, "
            f"so the timelines have {float(clip.rate):g}. "
            "Set frame_rate to choose another rate."
        )
    stage = progress.part("writing", 0.9, 1)
    files: list[str] = []
    with ZipWriter(outputs["files"], packed=True) as archive:
        for number, file_format in enumerate(FORMATS):
            if (text := file_format.write(clip)) is None:
                progress.warn(f"{file_format.file_name} was not written: it cannot hold {float(clip.rate):g} frames per second.")
            else:
                archive.add(file_format.file_name, text)
                if coarse := file_format.warning(clip):
                    progress.warn(coarse)
                files.append(file_format.file_name)
            stage(number, len(FORMATS) + 1)
    measured, cuts = (choice.analysis.motion, choice.analysis.cuts) if choice.analysis else (None, [])
    plot(clip, measured, cuts).save(outputs["plot"], format="PNG")
    stage(1, 1)
    return ExportResult(
        curve=to_points(points),
        duration_s=clip.end - clip.start,
        ramped_duration_s=float(Clock(points, start=clip.start).left(clip.end)),
        frame_rate=clip.frame_rate,
        files=files,
        slow_parts=clip.slow_parts,
    )


EXPORT = Operation(
    name="speed-ramp.export",
    title="Curve for editors",
    presets=SPEED_SHAPES,
    summary="Export a speed curve for editing programs, and draw it",
    params=ExportParams,
    result=ExportResult,
    inputs={"video": Kind.VIDEO},
    outputs={"plot": Kind.IMAGE, "files": Kind.ARCHIVE},
    measurement=MOTION,
    names_inputs=True,
    run=export,
    role="ramp_export",
    version=7,
    example=ExportParams(min_speed=0.5, max_speed=2.0),
)
