"""A clip, or a part of it, written again with other pictures: its times, its sound and its tags stay."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from shared.errors import Invalid
from shared.operation import Progress
from shared.video.clip.cut_sound import PartSound
from shared.video.clip.part import ClipPart
from shared.video.conversion_warnings import conversion_warnings
from shared.video.frames.frame import Frame
from shared.video.info import VideoInfo
from shared.video.probe import probe_video
from shared.video.writing.writer import VideoWriter

_USUAL_RATE = Fraction(25)
_SAME_SHAPE, _SAME_LENGTH_S = 0.03, 0.1


@dataclass(frozen=True, slots=True)
class Times:
    """When a frame is shown."""

    pts: int
    time_base: Fraction
    duration: int

    @classmethod
    def of(cls, frame: Frame) -> "Times":
        return cls(frame.pts, frame.time_base, frame.duration)


@dataclass(frozen=True, slots=True)
class Written:
    """What came out."""

    frames: int
    duration_s: float
    encoder: str


def probe_clip(video: Path, params: ClipPart) -> VideoInfo:
    """What is known about a video. Raises UnsupportedMedia for a still image, Invalid if nothing of it is left from `start` on."""
    info = probe_video(video)
    if params.start and params.start >= info.duration_s:
        detail = f"The video is {info.duration_s:.2f} s long: a start at {params.start:g} s leaves nothing of it"
        raise Invalid(f"{detail}. Choose an earlier start.", errors=[{"field": "params.start", "detail": detail}])
    return info


def matte_remarks(matte: Path, params: ClipPart, *, info: VideoInfo) -> Iterator[str]:
    """What has to be done to a matte to fit the video. Raises UnsupportedMedia for a still image."""
    given = probe_video(matte, hint="a matte is a gray video, as long as the clip")
    if abs(given.width * info.height / (info.width * given.height) - 1) > _SAME_SHAPE:
        yield f"The matte of {given.width}x{given.height} was stretched to the shape of the video, which is {info.width}x{info.height}."
    until = info.duration_s if params.duration is None else min(info.duration_s, params.start + params.duration)
    if given.frames < info.frames and given.duration_s < until - 2 / float(rate_of(info)) - _SAME_LENGTH_S:
        yield f"The matte ends at {given.duration_s:.2f} s: its last picture was held from there to {until:.2f} s."


def rate_of(info: VideoInfo) -> Fraction:
    """Frames a second, on average; the usual rate where a file does not say."""
    return info.rate if info.rate > 0 else _USUAL_RATE


def expected_frames(info: VideoInfo, params: ClipPart) -> int:
    """About how many frames there will be."""
    if params.whole:
        return max(info.frames, 1)
    left = max(info.duration_s - params.start, 0)
    return max(round(min(left, params.duration or left) * float(rate_of(info))), 1)


def write_again(
    pictures: Iterable[tuple[Times, av.VideoFrame]], params: ClipPart, *, video: Path, info: VideoInfo, output: Path, progress: Progress
) -> Written:
    """Write pictures with the times of the clip's frames that they stand for, and the clip's sound and tags.

    A part of a clip begins at 0, its sound cut to the sample (and so encoded again); of a whole one times stay and sound is copied. What
    could not be kept is told to `progress`. Raises Invalid if there was no picture.
    """
    for sentence in conversion_warnings(info, to_sdr8=True):
        progress.warn(sentence)
    part = not params.whole
    expected, written, end = expected_frames(info, params), 0, Fraction(0)
    first = Fraction(0)
    with ExitStack() as stack:
        writer: VideoWriter | None = None
        sound: PartSound | None = None
        for times, picture in pictures:
            if writer is None:
                writer = VideoWriter(
                    output,
                    width=picture.width,
                    height=picture.height,
                    frame_rate=rate_of(info),
                    time_base=times.time_base,
                    quality=params.quality,
                )
                stack.enter_context(writer)
                writer.copy_tags(video)
                if part:
                    first = times.pts * times.time_base
                    sound = stack.enter_context(PartSound(writer, video, info, start=first))
                else:
                    for sentence in writer.copy_audio(video):
                        progress.warn(sentence)
            writer.write(picture, times.pts - round(first / times.time_base), duration=times.duration)
            written += 1
            end = (times.pts + times.duration) * times.time_base - first
            if sound is not None:
                sound.write(until=end)
            progress(min(written, expected), expected)
        if writer is None:
            raise Invalid(
                f"No frame of the video begins in the part from {params.start:g} s on. Choose another start or a longer duration.",
                errors=[{"field": "params.start", "detail": "no frame of the video begins in this part"}],
            )
    for sentence in [*writer.warnings, *(sound.warnings if sound else [])]:
        progress.warn(sentence)
    progress(expected, expected)
    return Written(written, float(end), writer.encoder)
