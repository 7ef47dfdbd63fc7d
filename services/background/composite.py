"""background.composite: put the subject of a clip over another background."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from services.background.clip.backdrop import End, Fit
from services.background.composing.frames import CompositeFrames
from services.background.composing.layer_reader import CompositeSources, LayerReader
from services.background.mixing.compositor import Look, Shadow
from services.background.params import MATTE, LookParams
from shared.declarations.cards import LookCard
from shared.declarations.figure import figure
from shared.errors import Invalid
from shared.operation import Input, Kind, Operation, Preset, Progress, Silent, form
from shared.video import VideoInfo, conversion_warnings, probe
from shared.video.clip.clip_file import PIXELS, ClipFile, Target
from shared.video.clip.empty_part import no_frame
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import WrittenVideo, expected_frames, matte_warnings, probe_clip, rate_of, write_again

_PIXELS = PIXELS | {"png": "rgba"}


class CompositeParams(LookParams, ClipPart):
    """Params for choosing the background and mixing the subject with it."""

    color: str = Field(
        "#00b140",
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Background colour as #RRGGBB, used if no background is given.",
        title="Background colour",
        json_schema_extra=form("basics", widget="colour", role="backdrop_colour"),
    )
    fit: Fit = Field(
        "cover",
        description="How to fit a background with another aspect ratio: `cover` crops it, `contain` adds bars, `stretch` distorts it.",
        title="Fit",
        json_schema_extra=form("basics", labels={"cover": "Fill", "contain": "Fit inside", "stretch": "Stretch"}, role="backdrop_fit"),
    )
    background_end: End = Field(
        "loop",
        description="What to do if the background clip is shorter: `loop` it, `hold` its last frame, or `trim` the result to its length.",
        title="Short background",
        json_schema_extra=form(
            "more", labels={"loop": "Loop", "hold": "Hold the last frame", "trim": "Trim the result"}, role="backdrop_end"
        ),
    )
    background_start: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="Time in the background clip at which to start, in seconds.",
        title="Background start",
        json_schema_extra=form("more", unit="s", role="backdrop_start"),
    )
    shadow: Shadow = Field(
        "none",
        description="`keep` the real shadow (needs a plate), draw a soft `contact` shadow at the feet, or `none`.",
        title="Shadow",
        json_schema_extra=form("basics", labels={"none": "None", "keep": "Keep the real one", "contact": "Draw one"}),
    )
    format: Literal["mp4", "prores", "vp9", "png"] = Field(
        "mp4",
        description="`mp4`: the composite. The others contain only the subject, with straight alpha, for editing programs: ProRes 4444, "
        "VP9 in WebM, or a zip file of RGBA pictures. Background, light and grain do not apply to them.",
        title="File format",
        json_schema_extra=form(
            "more",
            labels={
                "mp4": "MP4",
                "prores": "ProRes 4444, subject alone",
                "vp9": "WebM, subject alone",
                "png": "PNG pictures, subject alone",
            },
        ),
    )


class CompositeResult(BaseModel):
    """Summary of a written composite."""

    frames: int = Field(description="Number of frames in the output.", json_schema_extra=figure("frame_count"))
    frame_rate: str = Field(
        description='Frames per second of the output as an exact fraction, such as "30000/1001"; the average if it varies.',
        json_schema_extra=figure("frame_rate"),
    )
    duration_s: float = Field(description="Length of the output in seconds.", json_schema_extra=figure("result_length"))
    background: Literal["color", "picture", "video", "none"] = Field(
        description="Kind of background; `none` if the subject is written alone."
    )
    grain: float = Field(description="Levels of grain (standard deviation, of 255) given to the background.")
    encoder: str = Field(description="Video encoder used.", json_schema_extra=figure("encoder"))


def composite(
    params: CompositeParams,
    *,
    video: Path,
    alpha: Path,
    background: Path | None,
    plate: Path | None,
    output: Path,
    progress: Progress = Silent(),
) -> CompositeResult:
    """Put the subject of `video` over another background.

    `alpha`: a gray video, white is the subject. `background`: a picture or a clip; None takes `params.color`. `plate`: the clip's own clean
    background, made by background.plate with `canvas` frame; with it edge colours are exact and the real shadow can be kept. Frames are
    mixed in Y, U and V planes of 8 bits; times, sound and tags are the clip's. Raises UnsupportedMedia and BrokenMedia for the sources,
    Invalid if no frame begins in the part, or if the shadow is to be kept without a plate.
    """
    info = probe_clip(video, params)
    _refuse(params, {} if plate is None else {"plate": plate})
    only_subject = params.format != "mp4"
    if only_subject:
        background = None
    params = _trimmed(params, info, background)
    for warning in matte_warnings(alpha, params, info=info):
        progress.warn(warning)
    for warning in _background_warnings(background):
        progress.warn(warning)
    layers = LayerReader(_sources(params, info, video, alpha, background, plate), progress)
    frames = CompositeFrames(layers, partial(_look, params, background), match_grain=params.grain and background is not None)
    if only_subject:
        summary = _write_subject(frames, params, video, info, output, progress)
    else:
        with closing(frames.composites()) as pictures:
            summary = write_again(pictures, params, video=video, info=info, output=output, progress=progress)
    if layers.unaligned:
        progress.warn(
            f"The plate could not be aligned with {layers.unaligned} frames; for these, the alignment of the previous frame was used."
        )
    rate = rate_of(info)
    return CompositeResult(
        frames=summary.frames,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        duration_s=summary.duration_s,
        background="none" if only_subject else "color" if background is None else "video" if layers.moving else "picture",
        grain=round(frames.grain_levels, 2),
        encoder=summary.encoder,
    )


def _sources(
    params: CompositeParams, info: VideoInfo, video: Path, alpha: Path, background: Path | None, plate: Path | None
) -> CompositeSources:
    return CompositeSources(
        video=video,
        alpha=alpha,
        background=background,
        plate=plate,
        width=info.width,
        height=info.height,
        start_s=params.start,
        duration_s=params.duration,
        color=params.color,
        fit=params.fit,
        background_end=params.background_end,
        background_start_s=params.background_start,
    )


def _look(params: CompositeParams, background: Path | None, matrix: str) -> Look:
    """Return the mixing options for a colour matrix.

    Colours are not matched to a plain background colour.
    """
    look = params.look(matrix=matrix, shadow=params.shadow)
    return look if background is not None else replace(look, match=0.0)


def _trimmed(params: CompositeParams, info: VideoInfo, background: Path | None) -> CompositeParams:
    """Shorten the part to the background clip's length if `background_end` is `trim`.

    Sound, subtitles and chapters are those of the part, so they end there too.
    """
    if background is None or params.background_end != "trim":
        return params
    behind = probe(background)
    if not isinstance(behind, VideoInfo):
        return params
    left = behind.length_s - params.background_start
    remaining_s = info.length_s - params.start if params.duration is None else params.duration
    return params.model_copy(update={"duration": left}) if 0 < left < remaining_s else params


def _background_warnings(background: Path | None) -> Iterator[str]:
    """Yield warnings about conversions that a background clip needs."""
    behind = None if background is None else probe(background)
    if isinstance(behind, VideoInfo):
        for warning in conversion_warnings(behind, to_sdr8=True):
            yield f"Background: {warning}"


def _write_subject(
    frames: CompositeFrames, params: CompositeParams, video: Path, info: VideoInfo, output: Path, progress: Progress
) -> WrittenVideo:
    """Write a video of the subject alone with its alpha.

    Raises Invalid if no frame begins in the part.
    """
    assert params.format != "mp4"
    for warning in conversion_warnings(info, to_sdr8=True, written_as=_PIXELS[params.format]):
        progress.warn(warning)
    expected, count = expected_frames(info, params), 0
    first, end = Fraction(0), Fraction(0)
    target = Target(path=output, format=params.format, sound=params.format != "png", rgba=True)
    with ClipFile(target, video, info, params, progress) as file, closing(frames.subjects()) as subjects:
        for times, picture, alpha in subjects:
            first = times.time if not count else first
            file.write(picture, times, alpha)
            count, end = count + 1, (times.pts + times.duration) * times.time_base - first
            progress(min(count, expected), expected)
        if not count:
            raise no_frame(params.start)
    return WrittenVideo(count + file.repeated, float(end - file.moved), file.encoder or "png")


def _refuse(params: CompositeParams, inputs: Mapping[str, object]) -> None:
    """Raise Invalid if `shadow` is `keep` and no plate is given."""
    if params.shadow == "keep" and params.format == "mp4" and "plate" not in inputs:
        detail = "`shadow` keep needs a clean plate of the clip, and none is given"
        raise Invalid.field("params.shadow", detail, f"{detail}. Give one as `plate`, or choose `contact`.")


COMPOSITE = Operation(
    name="background.composite",
    bytes_per_pixel=lambda _params: 180,
    process_bytes=130 * 1000**2,
    title="New background",
    presets=(
        Preset(name="colour", title="Plain colour", sentence="The subject in front of a colour.", params=CompositeParams(color="#1e3a5f")),
        Preset(
            name="natural",
            title="Natural",
            sentence="Light and colours follow the new background.",
            params=CompositeParams(match=0.8, light_wrap=0.4, shadow="contact"),
        ),
        Preset(
            name="white",
            title="White studio",
            sentence="White, with a soft shadow at the feet.",
            params=CompositeParams(color="#ffffff", shadow="contact", light_wrap=0.1),
        ),
        Preset(
            name="editing",
            title="For editing programs",
            sentence="The subject alone, with its transparency.",
            params=CompositeParams(format="prores"),
        ),
    ),
    summary="Put the subject of a clip over a picture, a colour or another clip",
    params=CompositeParams,
    result=CompositeResult,
    inputs={
        "video": Kind.VIDEO,
        "alpha": MATTE,
        "background": Input(
            kind=Kind.IMAGE,
            also=Kind.VIDEO,
            optional=True,
            role="backdrop",
            title="Background",
            description="Picture or clip. Empty: a plain colour.",
        ),
        "plate": Input(
            kind=Kind.IMAGE,
            optional=True,
            title="Clean plate",
            description="The clip's own background without the subject, for cleaner edges.",
        ),
    },
    outputs={"video": Kind.VIDEO},
    run=composite,
    look=LookCard(
        place=4,
        title="New background",
        sentence="Puts the subject over a colour or a picture.",
        icon="person",
        of_people=True,
        pipeline="new-background",
    ),
    version=7,
    refuse=_refuse,
    example=CompositeParams(color="#1e3a5f"),
)
