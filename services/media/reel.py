"""media.reel: join the best moments of a clip into a reel."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from pydantic import BaseModel, ConfigDict, Field

from services.media.output.frame_rate import at_constant_rate
from shared.declarations.figure import figure
from shared.editing.rates import constant_rate
from shared.errors import Invalid
from shared.operation import Kind, Operation, Params, Preset, Progress, Silent, cell, form
from shared.video import (
    VideoInfo,
    VideoWriter,
    conversion_warnings,
    probe_video,
    read_frames,
    text_warnings,
    to_fraction,
    track_warnings,
)
from shared.video.clip.background import OnBackground
from shared.video.clip.cut_sound import PartSound

MAX_MOMENTS = 10_000
UNKNOWN_LENGTH_S = 1e6
"""Length assumed for a clip that states none, in seconds. Parts of such a clip end with its last frame."""


class Moment(BaseModel):
    """A moment of the clip to show.

    Other fields, such as those of chosen frames, are ignored.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    timestamp_s: float = Field(ge=0, le=1e6, description="Time in seconds.", title="Time", json_schema_extra=cell(unit="s", widget="time"))
    score: float = Field(0.0, description="Rating of the moment. Moments with the highest scores are shown.", title="Score")


class Span(BaseModel):
    """A shot of the clip; fields other than its times are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    start_s: float = Field(
        ge=0, le=1e6, description="Start of the shot, in seconds.", title="Start", json_schema_extra=cell(unit="s", widget="time")
    )
    end_s: float = Field(
        ge=0, le=1e6, description="End of the shot, in seconds.", title="End", json_schema_extra=cell(unit="s", widget="time")
    )


class VideoShots(BaseModel):
    """The shots of one video, as `keyframes.detect` lists them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    shots: list[Span] = Field(max_length=100_000, description="Shots in the order of time.", title="Shots")


class MomentParams(Params):
    """Params that give the moments to show."""

    moments: list[Moment] = Field(
        min_length=1,
        max_length=MAX_MOMENTS,
        description='Moments of the clip, such as `items` of `aesthetics.best-frames`; in a pipeline: `{"from": "<step>.items"}`.',
        title="Moments",
        json_schema_extra=form("basics", taken_from=("aesthetics.best-frames.items",)),
    )


class CutParams(OnBackground):
    """Params of a reel's parts: their shots, number, length and quality."""

    shots: list[VideoShots] | None = Field(
        None,
        max_length=1,
        description="Shots of the clip: `videos` of a `keyframes.detect` result. Each part stays within its shot. Empty: no limits.",
        title="Shots",
        json_schema_extra=form("expert", taken_from=("keyframes.detect.videos",)),
    )
    most: int = Field(
        8,
        ge=1,
        le=1000,
        description="Number of moments to show: those with the highest scores, in the order of time.",
        title="Most moments",
        json_schema_extra=form("basics"),
    )
    around: float = Field(
        2.0,
        gt=0,
        le=600,
        description="Length of each part in seconds. The moment is in its middle, unless the shot is too short.",
        title="Seconds of each",
        json_schema_extra=form("basics", unit="s"),
    )
    quality: int = Field(
        70,
        ge=0,
        le=100,
        description="Picture quality of the output, from 0 (smallest file) to 100 (best).",
        title="Quality",
        json_schema_extra=form("more"),
    )


class ReelParams(CutParams, MomentParams):
    """Params of the moments to show and their lengths."""


class ReelPart(BaseModel):
    """A part of the reel in the result."""

    start_s: float = Field(description="Start in the clip, in seconds.")
    end_s: float = Field(description="End in the clip, in seconds.")
    at_s: float = Field(description="Start in the reel, in seconds.")
    moment_s: float = Field(description="Time of the moment in the reel, in seconds.")
    score: float = Field(description="Score of the moment.")


class ReelResult(BaseModel):
    """Summary of a written reel."""

    parts: list[ReelPart] = Field(description="Parts of the clip, in the order of time.", json_schema_extra=figure("clip_parts"))
    moments: list[float] = Field(description="Times of the moments in the reel, in seconds.")
    frames: int = Field(description="Number of frames in the output.", json_schema_extra=figure("frame_count"))
    frame_rate: str = Field(
        description='Frames per second of the output as an exact fraction, such as "30000/1001".', json_schema_extra=figure("frame_rate")
    )
    duration_s: float = Field(description="Length of the output in seconds.", json_schema_extra=figure("result_length"))
    encoder: str = Field(description="Video encoder used.", json_schema_extra=figure("encoder"))


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the clip around a moment.

    The part lasts from `first` up to `end`, in frames of the output rate.
    """

    first: int
    end: int
    moment: Moment


def reel(params: ReelParams, *, video: Path, output: Path, progress: Progress = Silent()) -> ReelResult:
    """Join the best moments of `video` into a reel.

    The reel is written to `output` with its sound. The best `most` moments by score are shown for `around` seconds each, in the order of
    time; parts that overlap become one. The rate is constant. Only the parts are decoded. Raises UnsupportedMedia and BrokenMedia for the
    source, Invalid if no moment lies in the clip; nothing is left at `output` after a failure.
    """
    info = probe_video(video)
    rate = constant_rate(info.steady_rate, varies=False)
    parts = _parts(params, info, rate)
    for warning in [*conversion_warnings(info, to_sdr8=True, background=params.background), *track_warnings(info), *text_warnings(info)]:
        progress.warn(warning)
    expected, position, report = sum(part.end - part.first for part in parts), 0, list[ReelPart]()
    with VideoWriter(output, width=info.width, height=info.height, frame_rate=rate, quality=params.quality) as writer:
        writer.copy_tags(video)
        with PartSound(writer, video, info, start=parts[0].first / rate) as sound:
            for part in parts:
                begin = position
                sound.continue_from(part.first / rate, at=begin / rate)
                for picture, count in _pictures(video, part, rate, params.background):
                    for _ in range(count):
                        writer.write(picture, position)
                        position += 1
                        sound.write(until=position / rate)
                    progress(min(position, expected), expected)
                if position > begin:
                    report.append(_reported(part, begin, position, rate))
        if not position:
            raise Invalid.field(
                "params.moments",
                "the clip has no frame around these moments",
                "The clip has no frame around the moments. Give other moments.",
            )
    for warning in [*writer.warnings, *sound.warnings]:
        progress.warn(warning)
    progress(expected, expected)
    return ReelResult(
        parts=report,
        moments=[part.moment_s for part in report],
        frames=position,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        duration_s=float(position / rate),
        encoder=writer.encoder,
    )


def _parts(params: ReelParams, info: VideoInfo, rate: Fraction) -> list[_Part]:
    """Return the parts of a reel in time order.

    Parts that overlap are joined. Raises Invalid if no moment lies in the clip.
    """
    length = UNKNOWN_LENGTH_S if info.duration_s is None else info.duration_s
    inside = [moment for moment in params.moments if moment.timestamp_s < length]
    if not inside:
        detail = f"all moments lie after the end of the clip, which is {length:.2f} s long"
        raise Invalid.field("params.moments", detail)
    best = sorted(sorted(inside, key=lambda moment: -moment.score)[: params.most], key=lambda moment: moment.timestamp_s)
    shots = params.shots[0].shots if params.shots else []
    parts: list[_Part] = []
    for moment in best:
        shot = next((shot for shot in shots if shot.start_s <= moment.timestamp_s < shot.end_s), Span(start_s=0, end_s=length))
        start = min(max(moment.timestamp_s - params.around / 2, shot.start_s), max(shot.end_s - params.around, shot.start_s))
        first, end = round(to_fraction(start) * rate), round(to_fraction(min(start + params.around, shot.end_s)) * rate)
        part = _Part(first, max(end, first + 1), moment)
        if parts and part.first < parts[-1].end:
            better = max(parts[-1].moment, moment, key=lambda candidate: candidate.score)
            parts[-1] = _Part(parts[-1].first, max(part.end, parts[-1].end), better)
        else:
            parts.append(part)
    return parts


def _pictures(video: Path, part: _Part, rate: Fraction, background: str) -> Iterator[tuple[av.VideoFrame, int]]:
    """Yield the pictures of a part, each with its number of output frames."""
    with read_frames(
        video,
        start=part.first / rate,
        duration=(part.end - part.first) / rate,
        to_sdr8=True,
        opaque=True,
        background=background,
        shown_at_start=True,
    ) as frames:
        for output_frame in at_constant_rate(frames, rate):
            first, end = max(output_frame.first.pts, part.first), min(output_frame.first.pts + output_frame.count, part.end)
            if end > first:
                yield output_frame.frame.picture, end - first


def _reported(part: _Part, begin: int, end: int, rate: Fraction) -> ReelPart:
    shift = (begin - part.first) / rate
    return ReelPart(
        start_s=float(part.first / rate),
        end_s=float((part.first + end - begin) / rate),
        at_s=float(begin / rate),
        moment_s=float(to_fraction(part.moment.timestamp_s) + shift),
        score=part.moment.score,
    )


REEL = Operation(
    name="media.reel",
    bytes_per_pixel=lambda _params: 125,
    title="Highlight reel",
    presets=(
        Preset(name="teaser", title="Teaser", sentence="Five moments of one second.", params=CutParams(most=5, around=1.0)),
        Preset(name="highlights", title="Highlights", sentence="Eight moments of two seconds.", params=CutParams()),
        Preset(name="fast", title="Fast cut", sentence="Twenty moments of half a second.", params=CutParams(most=20, around=0.5)),
        Preset(name="long", title="Long moments", sentence="Ten moments of five seconds.", params=CutParams(most=10, around=5.0)),
    ),
    summary="Cut the best moments of a clip together",
    params=ReelParams,
    result=ReelResult,
    inputs={"video": Kind.VIDEO},
    outputs={"video": Kind.VIDEO},
    run=reel,
    version=6,
    example=ReelParams(moments=[Moment(timestamp_s=1.5, score=2.0), Moment(timestamp_s=4.0, score=1.0)], around=1.0),
)
