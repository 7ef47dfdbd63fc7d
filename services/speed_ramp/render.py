"""speed-ramp.render: video and curve -> retimed video."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from services.speed_ramp.analyze import analyze, probe_video
from services.speed_ramp.audio import Source, Stretched
from services.speed_ramp.changes import changes, layout_of
from services.speed_ramp.clock import Clock
from services.speed_ramp.curve import Point, from_points, from_speeds, held
from services.speed_ramp.frames import Seen, constant_rate, picks
from services.speed_ramp.params import AnalyzeParams, CurvePoint, RenderParams, RenderResult
from shared.errors import BrokenMedia, UnsupportedMedia
from shared.operation import Progress, Silent
from shared.video import AudioTrack, VideoInfo, VideoWriter, map_ordered, read_audio, read_frames, remux

_FOREVER_S = 1e7


def render(params: RenderParams, *, video: Path, output: Path, progress: Progress = Silent()) -> RenderResult:
    """Write `video` to `output`, retimed along a speed curve, in one pass and with memory that does not depend on length.

    The curve is `params.curve`, or made of `params.speeds`, or analysed. The frame rate stays (a varying one becomes constant); each
    output frame shows the moment of the source that the exact integral of the curve puts there; all audio tracks follow with their pitch
    kept. A curve that is 1 throughout copies picture and sound untouched. Raises UnsupportedMedia and BrokenMedia for the source;
    nothing is left under `output` on failure.
    """
    info = probe_video(video)
    points, stage = _curve(params, video, info, progress)
    if all(abs(speed - 1) < 1e-9 for _, speed in points) and params.audio == "keep" and output.suffix.lower() == ".mp4":
        try:
            remux(video, output)
        except UnsupportedMedia as reason:
            progress.warn(f"Every speed is 1, but the file could not be copied as it is and was encoded: {reason.detail}")
        else:
            stage(1, 1)
            return _copied(output, info, points)
    return _encoded(params, video, info, output, points, progress, stage)


def _curve(params: RenderParams, video: Path, info: VideoInfo, progress: Progress) -> tuple[list[Point], Progress]:
    """The curve's points, and the progress of what is still to do."""
    if params.curve is not None:
        # How long the video is to the frame shows only when it has been read: the curve is held beyond its last point till then.
        return from_points(params.curve, _FOREVER_S), progress.part("rendering", 0, 1)
    if params.speeds is not None:
        points = from_speeds(
            params.speeds, segment_duration=params.segment_duration, smoothing=params.smoothing, duration_s=info.duration_s
        )
        return points, progress.part("rendering", 0, 1)
    analysis = AnalyzeParams(**{name: getattr(params, name) for name in AnalyzeParams.model_fields})
    result = analyze(analysis, video=video, progress=progress.part("analysing", 0, 0.3))
    return [(point.t, point.speed) for point in result.curve], progress.part("rendering", 0.3, 1)


def _copied(output: Path, info: VideoInfo, points: list[Point]) -> RenderResult:
    copy = probe_video(output)
    return RenderResult(
        curve=_answer(points, info.duration_s),
        duration_s=copy.duration_s,
        source_duration_s=info.duration_s,
        frames=copy.frames,
        frame_rate=copy.frame_rate,
        audio_tracks=len(copy.audio),
        encoder="copy",
    )


def _encoded(
    params: RenderParams, video: Path, info: VideoInfo, output: Path, points: list[Point], progress: Progress, stage: Progress
) -> RenderResult:
    clock, rate, seen = Clock(points), constant_rate(info), Seen()
    for sentence in changes(info, rate):
        progress.warn(sentence)
    expected = max(round(float(clock.out(info.duration_s)) * rate), 1)
    first = written = 0
    blend = params.interpolation == "blend"
    with ExitStack() as stack:
        frames = stack.enter_context(read_frames(video, to_sdr8=True))
        writer = stack.enter_context(VideoWriter(output, width=info.width, height=info.height, frame_rate=rate, quality=params.quality))
        tracks = list(_tracks(video, info, clock, writer, progress, stack)) if params.audio == "keep" else []
        shown = picks(frames, clock, rate, seen, blend=blend)
        pictures = map_ordered(lambda pick: (pick.number, pick.picture()), shown, ahead=2)
        for number, picture in pictures:
            first = number if not written else first
            written += 1
            writer.write(picture, number)
            for track in tracks:
                track.write(until_s=float((number + 1) / rate), limit_s=None)
            stage(min(written, expected), expected)
        end_s = float(seen.end)
        for track in tracks:
            track.write(until_s=_FOREVER_S, limit_s=float(clock.out(end_s)))
    for sentence in writer.warnings:
        progress.warn(sentence)
    stage(expected, expected)
    return RenderResult(
        curve=_answer(points, end_s),
        duration_s=float((first + written) / rate),
        source_duration_s=end_s,
        frames=written,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        audio_tracks=len(tracks),
        encoder=writer.encoder,
    )


@dataclass(frozen=True, slots=True)
class _Track:
    """One audio track on its way from the source through the stretcher to the writer."""

    stretched: Stretched
    target: AudioTrack
    sample_rate: int

    def write(self, *, until_s: float, limit_s: float | None) -> None:
        """Write up to output time `until_s`, but not past `limit_s`, the end of the clip."""
        until = until_s if limit_s is None else min(until_s, limit_s)
        for samples in self.stretched.read(round(until * self.sample_rate)):
            self.target.write(samples)


def _tracks(video: Path, info: VideoInfo, clock: Clock, writer: VideoWriter, progress: Progress, stack: ExitStack) -> Iterator[_Track]:
    for number, track in enumerate(info.audio):
        blocks = stack.enter_context(read_audio(video, number, sample_rate=track.sample_rate))
        try:
            first = next(blocks, None)
        except BrokenMedia as error:
            progress.warn(f"Audio track {number + 1} was left out: {error.detail}")
            continue
        if first is None:
            continue
        channels = first.samples.shape[0]
        source = Source(chain([first], blocks), channels=channels, sample_rate=track.sample_rate)
        stretched = Stretched(source, clock, channels=channels, sample_rate=track.sample_rate)
        target = writer.add_audio(track.sample_rate, layout_of(track, channels), language=track.language)
        yield _Track(stretched, target, track.sample_rate)


def _answer(points: list[Point], end_s: float) -> list[CurvePoint]:
    return [CurvePoint(t=t, speed=speed) for t, speed in held(points, end_s)]
