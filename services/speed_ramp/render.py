"""speed-ramp.render: retime a video along a speed curve."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from services.speed_ramp.analysis.choice import ChosenCurve, choose_curve
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint, Point, to_points
from services.speed_ramp.curve.slow_parts import SlowPart, slow_parts
from services.speed_ramp.curve.trim import trimmed
from services.speed_ramp.handover.chapters import chapters, longest
from services.speed_ramp.handover.rates import SOURCE, output_rate
from services.speed_ramp.handover.warnings import ramp_warnings
from services.speed_ramp.motion.motion_store import MOTION
from services.speed_ramp.params import BEAT, BULLET, CINEMATIC, MONTAGE, TimingParams
from services.speed_ramp.picture.inbetween import Shown
from services.speed_ramp.picture.interpolation import INTERPOLATIONS, mixes_frames, shown_frames
from services.speed_ramp.picture.picks import Part, SourceEnd
from services.speed_ramp.picture.repeats import Repeats
from services.speed_ramp.sound.modes import AUDIO_MODES
from services.speed_ramp.sound.tracks import Track, open_tracks
from shared.declarations.cards import LookCard
from shared.declarations.figure import figure
from shared.errors import UnsupportedMedia
from shared.operation import Kind, Operation, Preset, Progress, Silent, form
from shared.video import Frame, VideoInfo, VideoWriter, map_ordered, probe_video, read_frames, remux, to_fraction, track_warnings
from shared.video.clip.background import OnBackground
from shared.video.clip.empty_part import no_frame
from shared.video.probing.track_list import longer_tracks
from shared.video.threads.prefetch import Prefetcher


class RenderParams(TimingParams, OnBackground):
    """Params for rendering: curve, pictures and sound."""

    shutter: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Motion blur for parts that play faster than normal: share of each output frame's duration over which source frames "
        "are averaged. 0 is off, 0.5 looks like film, 1 is the maximum.",
        title="Motion blur",
        json_schema_extra=form("more"),
    )
    chapters: bool = Field(
        True,
        description="Write chapters into the output: those of the clip, at their new times. A clip without chapters gets one for each slow "
        "part and one for each part between.",
        title="Chapters",
        json_schema_extra=form("expert"),
    )
    quality: int = Field(
        70,
        ge=0,
        le=100,
        description="Picture quality of the output, from 0 (smallest file) to 100 (best).",
        title="Quality",
        json_schema_extra=form("more"),
    )


class RenderResult(BaseModel):
    """Summary of the written video."""

    curve: list[CurvePoint] = Field(
        description="Control points of the curve over the used part of the clip, in seconds of source.",
        json_schema_extra=figure("speed_curve"),
    )
    duration_s: float = Field(
        description="Length of the output's video in seconds: the integral of 1/speed, to the nearest frame.",
        json_schema_extra=figure("result_length"),
    )
    source_duration_s: float = Field(description="Length of the used part, in seconds of source.", json_schema_extra=figure("clip_length"))
    frames: int = Field(description="Number of frames in the output.", json_schema_extra=figure("frame_count"))
    interpolated_frames: int = Field(0, description="Number of output frames that are made from two source frames by `blend` or `flow`.")
    repeated_frames: int = Field(0, description="Number of repeated source frames that were left out; see `duplicates`.")
    frame_rate: str = Field(
        description='Frames per second of the output as an exact fraction, such as "30000/1001".', json_schema_extra=figure("frame_rate")
    )
    audio_tracks: int = Field(description="Number of audio tracks in the output.")
    slow_parts: list[SlowPart] = Field(description="Slow parts of the output; if there are more than 100, the longest 100.")
    encoder: str = Field(
        description='Video encoder; "copy" if every speed is 1 and the source was copied unchanged.', json_schema_extra=figure("encoder")
    )


def render(params: RenderParams, *, video: Path, output: Path, progress: Progress = Silent(), motion: Path | None = None) -> RenderResult:
    """Write a video retimed along a speed curve.

    `motion`: see `analyze`.
    The curve is `params.curve`, or made from `params.speeds`, or derived from motion. Each output frame shows the source moment given by
    the exact integral of the curve. The frame rate is `params.frame_rate`, or that of the source; a varying rate becomes constant. If every
    speed is 1, picture and sound are copied unchanged. Reads the source once, with memory that does not depend on its length. Raises
    UnsupportedMedia and BrokenMedia for the source, and Invalid for params that do not fit it. On failure no file is left at `output`.
    """
    info = probe_video(video)
    analysed = params.uses_motion
    choice = choose_curve(params, video, info, progress.part("analysing", 0, 0.3) if analysed else Silent(), motion=motion)
    stage = progress.part("rendering", 0.3 if analysed else 0, 1)
    if _is_unchanged(params, info, choice.points) and output.suffix.lower() == ".mp4":
        try:
            remux(video, output, sound_end=to_fraction(info.length_s) if longer_tracks(info) else None)
        except UnsupportedMedia as error:
            progress.warn(f"Every speed is 1, but the file could not be copied unchanged and was encoded: {error.detail}")
        else:
            stage(1, 1)
            copy = probe_video(output)
            empty = ["Some audio tracks contain no sound: they were left out."] * (len(copy.audio) < len(info.audio))
            for warning in [*info.warnings, *track_warnings(info), *empty]:
                progress.warn(warning)
            return _copied(copy, info, choice.points)
    return _encoded(params, video, info, output, choice, progress, stage)


def _copied(copy: VideoInfo, info: VideoInfo, points: list[Point]) -> RenderResult:
    """Return the result for a source that was only copied; `copy` is the output."""
    return RenderResult(
        curve=to_points(trimmed(points, info.length_s)),
        duration_s=copy.length_s,
        source_duration_s=info.length_s,
        frames=copy.frames,
        frame_rate=copy.frame_rate,
        audio_tracks=len(copy.audio),
        slow_parts=[],
        encoder="copy",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ramp:
    """A clip with the curve, clock and frame rate of its output."""

    params: RenderParams
    video: Path
    info: VideoInfo
    points: list[Point]
    rate: Fraction
    clock: Clock

    def frames(self) -> Prefetcher[Frame]:
        """Read the frames of the part."""
        return read_frames(
            self.video,
            opaque=True,
            background=self.params.background,
            # Slowed down, both fields of interlaced pictures are shown, each at its own time.
            fields=self.info.interlaced and any(point.speed < 1 for point in self.points),
            start=self.params.start or None,
            duration=self.params.duration,
            to_sdr8=True,
            prefetch=INTERPOLATIONS[self.params.interpolation].prefetch,
        )

    def shown(self, frames: Iterable[Frame], source_end: SourceEnd, repeats: Repeats | None) -> Iterator[Shown]:
        """Yield the output frames in order."""
        return shown_frames(
            frames,
            self.clock,
            self.rate,
            source_end,
            interpolation=INTERPOLATIONS[self.params.interpolation],
            shutter=self.params.shutter,
            part=_part(self.params.start, self.params.duration),
            repeats=repeats,
            real_first=self.rate < self.info.steady_rate,
        )

    def copy_texts(self, writer: VideoWriter) -> None:
        """Copy the clip's tags, subtitles and chapters, at their new times."""
        start, duration = self.params.start, self.params.duration
        until = None if duration is None else to_fraction(start) + to_fraction(duration)
        writer.copy_tags(self.video)
        writer.copy_texts(self.video, start=to_fraction(start), end=until, moved=_on_clock(self.clock), chapters=self.params.chapters)

    def tracks(self, writer: VideoWriter, progress: Progress, stack: ExitStack) -> list[Track]:
        """Add the clip's audio tracks to the output, if the params keep sound."""
        make_sound, params = AUDIO_MODES[self.params.audio].make, self.params
        if make_sound is None:
            return []
        opened = open_tracks(
            make_sound,
            self.video,
            self.info,
            self.clock,
            writer,
            start=params.start,
            duration=params.duration,
            progress=progress,
            stack=stack,
        )
        return list(opened)


def _encoded(
    params: RenderParams, video: Path, info: VideoInfo, output: Path, choice: ChosenCurve, progress: Progress, stage: Progress
) -> RenderResult:
    """Encode the retimed video and its sound.

    `progress` takes warnings, `stage` the progress of this step.
    """
    points, rate, clock = choice.points, output_rate(params.frame_rate, info), Clock(choice.points, start=params.start)
    ramp = _Ramp(params=params, video=video, info=info, points=points, rate=rate, clock=clock)
    source_end, repeats = SourceEnd(), Repeats() if params.drops_repeats else None
    for warning in ramp_warnings(info, rate, requested=params.frame_rate != SOURCE, background=params.background):
        progress.warn(warning)
    expected = max(round(float(clock.left(choice.end)) * rate), 1)
    first = count = interpolated = 0
    with ExitStack() as stack:
        frames = stack.enter_context(ramp.frames())
        writer = stack.enter_context(VideoWriter(output, width=info.width, height=info.height, frame_rate=rate, quality=params.quality))
        ramp.copy_texts(writer)
        tracks = ramp.tracks(writer, progress, stack)
        contents = ramp.shown(frames, source_end, repeats)
        for frame, picture in map_ordered(lambda frame: (frame, frame.picture()), contents, ahead=2):
            number = frame.number
            first = number if not count else first
            count += 1
            interpolated += mixes_frames(frame)
            writer.write(picture, number)
            for track in tracks:
                track.write(until_s=float((number + 1) / rate))
            stage(min(count, expected), expected)
        if not count:
            raise no_frame(params.start)
        end_s = float(source_end.end)
        for track in tracks:
            track.write(until_s=float(clock.left(end_s)))
        length, slow = (first + count) / rate, longest(slow_parts(points, start=params.start, end=end_s))
        for chapter in chapters(points, slow, start=params.start, length=length) if params.chapters and not writer.has_chapters else ():
            writer.add_chapter(chapter.title, chapter.start, chapter.end)
    for warning in writer.warnings:
        progress.warn(warning)
    stage(expected, expected)
    return RenderResult(
        curve=to_points(trimmed(points, end_s, start=params.start)),
        duration_s=float(length),
        source_duration_s=end_s - params.start,
        frames=count,
        interpolated_frames=interpolated,
        repeated_frames=repeats.count if repeats else 0,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        audio_tracks=len(tracks),
        slow_parts=slow,
        encoder=writer.encoder,
    )


def _on_clock(clock: Clock) -> Callable[[Fraction], Fraction]:
    """Return a function from source seconds to output seconds."""
    return lambda time: to_fraction(float(clock.out(float(time))))


def _part(start_s: float, duration_s: float | None) -> Part | None:
    """Return the used part of the source, or None for all."""
    if not start_s and duration_s is None:
        return None
    start = to_fraction(start_s)
    return Part(start, None if duration_s is None else start + to_fraction(duration_s))


def _is_unchanged(params: RenderParams, info: VideoInfo, points: list[Point]) -> bool:
    """Return whether the output would equal the source.

    That is so for the whole source at normal speed and the same frame rate, with its sound.
    """
    same_rate = params.frame_rate == SOURCE or (not info.variable_frame_rate and Fraction(params.frame_rate) == info.rate)
    whole = same_rate and not params.start and params.duration is None and AUDIO_MODES[params.audio].make is not None
    return whole and all(abs(point.speed - 1) < 1e-9 and not point.freeze for point in points)


def _bytes_per_pixel(params: RenderParams) -> float:
    """Estimate a job's memory in bytes per pixel of its clip's frames.

    Most of it is for frames that the encoder holds. A copy takes no memory for frames.
    """
    speeds = params.speeds or ([point.speed for point in params.curve] if params.curve else [])
    return 0 if speeds and set(speeds) == {1} else 130


def _preset(shape: Preset, sentence: str = "", **more: Any) -> Preset:
    """Return the preset of a render along a speed curve.

    `sentence`: in place of the curve's own; `more`: params of the render.
    """
    params = RenderParams(**shape.params.model_dump(exclude_defaults=True), **more)
    return replace(shape, sentence=sentence or shape.sentence, params=params)


RENDER = Operation(
    name="speed-ramp.render",
    bytes_per_pixel=_bytes_per_pixel,
    title="Speed ramp",
    presets=(
        _preset(CINEMATIC, "Slows down for the action, with new frames along the motion.", interpolation="flow"),
        _preset(MONTAGE, shutter=0.5),
        _preset(BULLET, interpolation="flow"),
        _preset(BEAT),
    ),
    summary="Retime a video, and its sound, along a speed curve",
    params=RenderParams,
    result=RenderResult,
    inputs={"video": Kind.VIDEO},
    outputs={"video": Kind.VIDEO},
    measurement=MOTION,
    run=render,
    look=LookCard(place=1, title="Cinematic slow motion", icon="ramp"),
    example=RenderParams(min_speed=0.5, max_speed=2.0),
    version=8,
)
