"""aesthetics.extract-frames: write every sampled frame of videos."""

from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, Field

from services.aesthetics.output.chosen_pictures import MAX_IMAGES
from services.aesthetics.reading.picture_files import PictureNames, encoded
from services.aesthetics.reading.picture_formats import PictureParams, quality_field
from services.aesthetics.reading.sampling import SampleParams, sampled, until_damage
from services.aesthetics.reading.sources import MAX_SOURCES, SourceReport, Sources, as_list
from shared.declarations.figure import figure
from shared.errors import BrokenMedia, Invalid
from shared.media.zip_files.picture_zip import PictureZip
from shared.operation import Input, Kind, Operation, Preset, Progress, Silent
from shared.video import Frame, map_ordered


class ExtractParams(SampleParams, PictureParams):
    """Params for sampling frames and encoding them as picture files."""

    quality: int = quality_field("basics")


class Extracted(BaseModel):
    """A frame written to a file."""

    image: str = Field(description="Name of the picture in the output `images`.", json_schema_extra=figure("picture_name"))
    source: str = Field(description="Name of the frame's video.")
    source_index: int = Field(description="Number of the frame's video among the inputs, from 0.")
    timestamp_s: float = Field(description="Time of the frame in its video, in seconds.", json_schema_extra=figure("picture_time"))


class ExtractResult(BaseModel):
    """Result with the written frames and a report on each video."""

    items: list[Extracted] = Field(description="The frames, video by video, in the order of time.")
    sources: list[SourceReport] = Field(description="Outcome of each video.")


def extract_frames(params: ExtractParams, *, video: list[Path] | Path, output: Path, progress: Progress = Silent()) -> ExtractResult:
    """Write `sample_rate` frames per second of each video into a zip file.

    Frames are encoded on all cores. An unreadable video is recorded in the result; if no video is readable, its error is raised. Raises
    Invalid for an empty part or for more than MAX_IMAGES frames.
    """
    sources = Sources(as_list(video), params, progress, videos=True)
    names, items = PictureNames(params.format), list[Extracted]()

    def encode(frame: Frame) -> tuple[float, bytes]:
        return float(frame.time), encoded(frame.rgb(), params)

    with PictureZip(output) as archive:
        for source in sources.readable():
            damage: list[BrokenMedia] = []
            with (
                sources.recording_errors(source),
                closing(sampled(source.path, params)) as frames,
                closing(map_ordered(encode, until_damage(frames, damage), ahead=1)) as files,
            ):
                for time_s, data in files:
                    if len(items) == MAX_IMAGES:
                        raise Invalid(f"More than {MAX_IMAGES} frames would be written. Choose a lower sample_rate, or a shorter part.")
                    name = names.of(source.path.name, time_s)
                    archive.add(name, data)
                    source.chosen += 1
                    items.append(Extracted(image=name, source=source.path.name, source_index=source.index, timestamp_s=time_s))
                    sources.count(source)
                if damage:
                    raise damage[0]
        sources.raise_if_empty()
    return ExtractResult(items=items, sources=sources.reports)


EXTRACT_FRAMES = Operation(
    name="aesthetics.extract-frames",
    bytes_per_pixel=lambda _params: 19,
    title="Frames as pictures",
    presets=(
        Preset(name="seconds", title="One per second", sentence="A JPEG picture of each second.", params=ExtractParams()),
        Preset(
            name="every",
            title="Every frame",
            sentence="All frames as PNG, without loss.",
            params=ExtractParams(format="png", sample_rate=240.0),
        ),
        Preset(
            name="overview",
            title="Overview",
            sentence="One picture of every ten seconds.",
            params=ExtractParams(sample_rate=0.1),
        ),
        Preset(
            name="web",
            title="For web pages",
            sentence="Small WebP files, one of each second.",
            params=ExtractParams(format="webp", quality=75),
        ),
    ),
    summary="Write sampled frames of videos as pictures",
    params=ExtractParams,
    result=ExtractResult,
    inputs={"video": Input(kind=Kind.VIDEO, many=True, max_items=MAX_SOURCES, title="Videos", description="One video, or several.")},
    outputs={"images": Kind.IMAGES},
    run=extract_frames,
    version=5,
    names_inputs=True,
    example=ExtractParams(),
)
