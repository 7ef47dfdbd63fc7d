"""speed-ramp.render: video and curve -> retimed video."""

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from services.speed_ramp.choose_curve import Chosen, choose_curve
from services.speed_ramp.curve.clock import Clock, Point
from services.speed_ramp.curve.from_motion import held, to_points
from services.speed_ramp.curve.straight_pieces import slow_parts
from services.speed_ramp.handover.chapters import chapters, longest
from services.speed_ramp.handover.warnings import changes
from services.speed_ramp.params import RenderParams, RenderResult
from services.speed_ramp.picture.inbetween import LONGEST_S, Shown, between, computed_ahead
from services.speed_ramp.picture.picks import Part, Seen, picks
from services.speed_ramp.picture.shutter import Window, exposed
from services.speed_ramp.sound.tracks import open_tracks
from shared.editing.rates import constant_rate
from shared.errors import Invalid, UnsupportedMedia
from shared.operation import Progress, Silent
from shared.video import Frame, VideoInfo, VideoWriter, map_ordered, probe_video, read_frames, remux, to_fraction

_FOREVER_S = 1e7


def render(params: RenderParams, *, video: Path, output: Path, progress: Progress = Silent()) -> RenderResult:
    """Write `video` to `output`, retimed along a speed curve, in one pass and with memory that does not depend on length.

    The curve is `params.curve`, or made of `params.speeds`, or analysed. The frame rate stays (a varying one becomes constant); each
    output frame shows the moment of the source that the exact integral of the curve puts there; all audio tracks follow with their pitch
    kept. A curve that is 1 throughout copies picture and sound untouched. Raises UnsupportedMedia and BrokenMedia for the source;
    nothing is left under `output` on failure.
    """
    info = probe_video(video)
    analysed = params.curve is None and params.speeds is None
    chosen = choose_curve(params, video, info, progress.part("analysing", 0, 0.3) if analysed else Silent())
    points, stage = chosen.points, progress.part("rendering", 0.3 if analysed else 0, 1)
    if _unchanged(params, points) and output.suffix.lower() == ".mp4":
        try:
            remux(video, output)
        except UnsupportedMedia as reason:
            progress.warn(f"Every speed is 1, but the file could not be copied as it is and was encoded: {reason.detail}")
        else:
            stage(1, 1)
            return _copied(output, info, points)
    return _encoded(params, video, info, output, chosen, progress, stage)


def _copied(output: Path, info: VideoInfo, points: list[Point]) -> RenderResult:
    copy = probe_video(output)
    return RenderResult(
        curve=to_points(held(points, info.duration_s)),
        duration_s=copy.duration_s,
        source_duration_s=info.duration_s,
        frames=copy.frames,
        frame_rate=copy.frame_rate,
        audio_tracks=len(copy.audio),
        slow_parts=[],
        encoder="copy",
    )


def _encoded(
    params: RenderParams, video: Path, info: VideoInfo, output: Path, chosen: Chosen, progress: Progress, stage: Progress
) -> RenderResult:
    points, rate = chosen.points, constant_rate(info.rate, varies=info.variable_frame_rate)
    clock, seen, part = Clock(points, start=params.start), Seen(), _part(params)
    for sentence in changes(info, rate):
        progress.warn(sentence)
    expected = max(round(float(clock.left(chosen.end)) * rate), 1)
    first = written = 0
    with ExitStack() as stack:
        # Where each picture takes long to make there is nothing to be ahead for.
        ahead = 2 if params.interpolation == "flow" else 8
        reading = read_frames(video, start=params.start or None, duration=params.duration, to_sdr8=True, prefetch=ahead)
        frames = stack.enter_context(reading)
        writer = stack.enter_context(VideoWriter(output, width=info.width, height=info.height, frame_rate=rate, quality=params.quality))
        writer.copy_tags(video)
        tracks = list(open_tracks(params, video, info, clock, writer, progress, stack)) if params.audio != "drop" else []
        shown = _shown(params, frames, clock, rate, seen, part)
        pictures = map_ordered(lambda one: (one.number, one.picture()), shown, ahead=2)
        for number, picture in pictures:
            first = number if not written else first
            written += 1
            writer.write(picture, number)
            for track in tracks:
                track.write(until_s=float((number + 1) / rate), limit_s=None)
            stage(min(written, expected), expected)
        if not written:
            raise Invalid(
                f"No frame of the video begins in the part from {params.start:g} s on. Choose another start or a longer duration."
            )
        end_s = float(seen.end)
        for track in tracks:
            track.write(until_s=_FOREVER_S, limit_s=float(clock.left(end_s)))
        length, slow = (first + written) / rate, longest(slow_parts(points, start=params.start, end=end_s))
        for title, begin, end in chapters(points, slow, start=params.start, length=length) if params.chapters else ():
            writer.add_chapter(title, begin, end)
    for sentence in writer.warnings:
        progress.warn(sentence)
    stage(expected, expected)
    return RenderResult(
        curve=to_points(held(points, end_s, start=params.start)),
        duration_s=float(length),
        source_duration_s=end_s - params.start,
        frames=written,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        audio_tracks=len(tracks),
        slow_parts=slow,
        encoder=writer.encoder,
    )


def _shown(params: RenderParams, frames: Iterator[Frame], clock: Clock, rate: Fraction, seen: Seen, part: Part | None) -> Iterator[Shown]:
    """What each output frame shows."""
    window, flow = Window(frames), params.interpolation == "flow"
    source = window if params.shutter else frames
    fade_s = LONGEST_S if flow else None
    chosen = picks(source, clock, rate, seen, blend=params.interpolation != "nearest", fade_s=fade_s, part=part)
    made = between(chosen) if flow else chosen
    shown = exposed(made, window, clock, rate, shutter=params.shutter) if params.shutter else made
    return computed_ahead(shown) if flow else iter(shown)


def _part(params: RenderParams) -> Part | None:
    if not params.start and params.duration is None:
        return None
    start = to_fraction(params.start)
    return Part(start, None if params.duration is None else start + to_fraction(params.duration))


def _unchanged(params: RenderParams, points: list[Point]) -> bool:
    """Whether the curve leaves the whole clip as it is."""
    whole = not params.start and params.duration is None and params.audio != "drop"
    return whole and all(abs(point.speed - 1) < 1e-9 and not point.freeze for point in points)
