"""media.transcode: change a clip's size, frame rate, dynamic range, length or format."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from services.media.output.formats import FORMATS
from services.media.output.frame_rate import FRAME_RATE, at_constant_rate, at_source_times, constant
from services.media.output.picture_size import output_size
from services.media.output.resizing import resized
from shared.choices import OneOf, described
from shared.declarations.figure import figure
from shared.errors import TooLarge
from shared.memory_need import PROCESS_BYTES, FrameSize
from shared.operation import Kind, Operation, Preset, Progress, Silent, form
from shared.settings import current
from shared.video import conversion_warnings, map_ordered, read_frames
from shared.video.clip.background import OnBackground
from shared.video.clip.clip_file import ClipFile, Target
from shared.video.clip.empty_part import no_frame
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import Times, expected_frames, probe_clip, rate_of
from shared.video.frames.display import has_alpha
from shared.video.frames.frame import Frame

MAX_SIDE = 16384
_READING_BYTES, _MP4_BYTES = 32, 93
"""Memory per pixel of the clip, and per pixel of an MP4 output. Its encoder holds many frames."""


class TranscodeParams(ClipPart, OnBackground):
    """Params of the changes to a clip.

    The defaults change nothing but the encoding.
    """

    width: int | None = Field(
        None,
        ge=16,
        le=MAX_SIDE,
        multiple_of=2,
        description="Width in pixels. The aspect ratio is kept; with `height`, the clip is fitted into both. "
        "Empty: computed from `height`.",
        title="Width",
        json_schema_extra=form("more", unit="px", clip_pixels=True),
    )
    height: int | None = Field(
        None,
        ge=16,
        le=MAX_SIDE,
        multiple_of=2,
        description="Height in pixels. The aspect ratio is kept. Empty: computed from `width`.",
        title="Height",
        json_schema_extra=form("basics", unit="px", clip_pixels=True),
    )
    max_edge: int | None = Field(
        None,
        ge=16,
        le=MAX_SIDE,
        description="Maximum length of the longer side in pixels. Smaller clips keep their size. "
        "Cannot be combined with `width` and `height`.",
        title="Longer side",
        json_schema_extra=form("more", unit="px", role="longest_side", clip_pixels=True),
    )
    frame_rate: Annotated[str, BeforeValidator(FRAME_RATE), Field(pattern=FRAME_RATE.pattern)] = Field(
        "source",
        description="`source` keeps every frame at its own time, even if the rate varies; `constant` makes the source's rate constant. "
        "A number of frames per second, such as 25 or 30000/1001: frames are repeated or dropped to keep the length.",
        title="Frame rate",
        json_schema_extra=form("basics", unit="fps", labels={"source": "As the clip", "constant": "Constant"}),
    )
    sdr: bool = Field(
        True,
        description="Write standard dynamic range; HDR clips are tone-mapped to BT.709. `false` keeps dynamic range and bit depth.",
        title="Standard range",
        json_schema_extra=form("more"),
    )
    audio: Literal["keep", "drop"] = Field(
        "keep",
        description="`keep` all sound tracks, or `drop` them. Tags, chapters and subtitles stay.",
        title="Sound",
        json_schema_extra=form("basics", labels={"keep": "Keep", "drop": "Drop"}),
    )
    format: Annotated[str, OneOf(FORMATS)] = Field(
        "mp4",
        description=f"File format. {described(FORMATS.values(), colon=True)}.",
        title="File format",
        json_schema_extra=form("basics", labels={row.name: row.label for row in FORMATS.values()}),
    )

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if self.max_edge is not None and (self.width is not None or self.height is not None):
            raise ValueError("max_edge excludes width and height: give one or the other")
        return self

    @property
    def bytes_per_pixel(self) -> float:
        """Estimated memory of a job in bytes per pixel of a frame.

        It includes the encoder only if the output has the clip's size; otherwise `refuse_output_size` counts the encoder.
        """
        keeps_size = self.width is self.height is self.max_edge is None
        return _READING_BYTES + (_MP4_BYTES if self.format == "mp4" and keeps_size else 0)


class TranscodeResult(BaseModel):
    """Summary of the written video."""

    width: int = Field(description="Width of the output in pixels.")
    height: int = Field(description="Height of the output in pixels.")
    frames: int = Field(description="Number of frames in the output.", json_schema_extra=figure("frame_count"))
    frame_rate: str = Field(
        description='Frames per second of the output as an exact fraction, such as "30000/1001"; the average if it varies.',
        json_schema_extra=figure("frame_rate"),
    )
    duration_s: float = Field(description="Length of the output in seconds.", json_schema_extra=figure("result_length"))
    pixel_format: str = Field(description="Pixel format, in FFmpeg's notation.")
    encoder: str = Field(description="Video encoder used.", json_schema_extra=figure("encoder"))


def transcode(params: TranscodeParams, *, video: Path, output: Path, progress: Progress = Silent()) -> TranscodeResult:
    """Write a clip with another size, rate, dynamic range or format.

    `video`, or a part of it, is written to `output`. The picture becomes upright, progressive and has square pixels; its shape is kept to
    the nearest even size. Frame times are the source's unless a rate is chosen. Sound is copied, or cut to the sample for a part. Tags,
    chapters, subtitles and the start timecode are copied. Reads the clip once, with memory that does not depend on its length. Raises
    UnsupportedMedia and BrokenMedia for the source, TooLarge for a size above the limit, Invalid for an empty part; nothing is left at
    `output` after a failure.
    """
    info = probe_clip(video, params)
    row = FORMATS[params.format]
    size = output_size(info, width=params.width, height=params.height, max_edge=params.max_edge)
    pixels, to_sdr8 = row.pixels(info, sdr=params.sdr), row.to_sdr8(info, sdr=params.sdr)
    for warning in conversion_warnings(info, to_sdr8=to_sdr8, written_as=pixels, background=params.background):
        progress.warn(warning)
    rate = constant(params.frame_rate, info)
    sound = params.audio == "keep"
    target = Target(path=output, format=row.file, sound=sound, texts=True, pixel_format=pixels, frame_rate=rate, captions=rate is None)
    expected = expected_frames(info, params)
    frame_count, begin, end = 0, Fraction(0), Fraction(0)
    with (
        read_frames(
            video,
            start=params.start or None,
            duration=params.duration,
            to_sdr8=to_sdr8,
            opaque=not has_alpha(pixels),
            background=params.background,
        ) as frames,
        ClipFile(target, video, info, params, progress) as file,
    ):
        read = _counted(frames, lambda count: progress(min(count, expected), expected))
        output_frames = at_source_times(read) if rate is None else at_constant_rate(read, rate)
        for output_frame, picture in map_ordered(lambda frame: (frame, resized(frame.frame, size, pixels)), output_frames, ahead=2):
            begin = begin if frame_count or params.whole else output_frame.first.time
            for number in range(output_frame.count):
                file.write(picture, Times(output_frame.first.pts + number, output_frame.first.time_base, output_frame.first.duration))
            frame_count += output_frame.count
            end = output_frame.first.time + output_frame.count * output_frame.first.duration * output_frame.first.time_base
        if not frame_count:
            raise no_frame(params.start)
    progress(expected, expected)
    average = rate or rate_of(info)
    return TranscodeResult(
        width=size[0],
        height=size[1],
        frames=frame_count + file.repeated,
        frame_rate=f"{average.numerator}/{average.denominator}",
        duration_s=float(end - begin - file.moved),
        pixel_format=pixels,
        encoder=file.encoder,
    )


def refuse_output_size(params: TranscodeParams, clip: FrameSize, *, limit_bytes: int) -> None:
    """Raise TooLarge if the output's size or its encoder's memory exceeds the limit."""
    width, height = output_size(clip, width=params.width, height=params.height, max_edge=params.max_edge)
    if params.format != "mp4":
        return
    needed = PROCESS_BYTES + _READING_BYTES * clip.pixels + _MP4_BYTES * width * height
    if needed > limit_bytes:
        detail = (
            f"an output of {width}x{height} needs about {needed / 1e9:.1f} GB of memory; a job may use {limit_bytes / 1e9:.1f} GB "
            "(REELWRIGHT_JOB_MEMORY_BYTES)"
        )
        sentence = f"media.transcode: {detail}. Choose a smaller size or another format, or ask the operator to raise the limit."
        name = "max_edge" if params.max_edge else "height" if params.height else "width"
        raise TooLarge.field(f"params.{name}", detail, sentence)


def _counted(frames: Iterator[Frame], report: Callable[[int], None]) -> Iterator[Frame]:
    """Yield `frames`; call `report` with the count after each."""
    for number, frame in enumerate(frames, 1):
        yield frame
        report(number)


TRANSCODE = Operation(
    name="media.transcode",
    bytes_per_pixel=lambda params: params.bytes_per_pixel,
    refuse_sizes=lambda params, sizes: refuse_output_size(params, sizes["video"], limit_bytes=current().job_memory_bytes),
    title="Convert and trim",
    presets=(
        Preset(name="small", title="Small", sentence="360 lines, for sending.", params=TranscodeParams(height=360, quality=60)),
        Preset(
            name="editing",
            title="For editing",
            sentence="ProRes at a constant rate.",
            params=TranscodeParams(frame_rate="constant", format="prores"),
        ),
        Preset(name="silent", title="Without sound", sentence="The picture alone.", params=TranscodeParams(audio="drop")),
    ),
    summary="Change a clip's size, frame rate, dynamic range or format, or cut a part out of it",
    params=TranscodeParams,
    result=TranscodeResult,
    inputs={"video": Kind.VIDEO},
    outputs={"video": Kind.VIDEO},
    run=transcode,
    version=7,
    example=TranscodeParams(height=180, frame_rate="15", duration=2.0),
)
