"""Re-encoding of a clip, or a part of it, with new pictures.

Times, sound and tags are kept.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from shared.media_info import VideoInfo
from shared.memory_need import FrameSize
from shared.operation import Progress
from shared.video.clip.cut_sound import PartSound
from shared.video.clip.empty_part import check_start, no_frame
from shared.video.clip.part import ClipPart
from shared.video.conversion_warnings import conversion_warnings
from shared.video.frames.display import BLACK
from shared.video.frames.frame import Frame
from shared.video.probing.probe import probe_video
from shared.video.probing.timecode import timecode_at
from shared.video.probing.track_list import track_warnings
from shared.video.seconds import to_fraction
from shared.video.writing.writer import VideoWriter

DEFAULT_RATE = Fraction(25)
_SHAPE_TOLERANCE, _LENGTH_TOLERANCE_S = 0.03, 0.1
"""Largest differences of a matte's aspect ratio (relative) and length without a warning."""


@dataclass(frozen=True, slots=True)
class Times:
    """Presentation time and duration of a frame, in `time_base` units."""

    pts: int
    time_base: Fraction
    duration: int

    @property
    def time(self) -> Fraction:
        """The frame's presentation time in seconds."""
        return self.pts * self.time_base

    @classmethod
    def of(cls, frame: Frame) -> "Times":
        """Return the presentation time and duration of a frame."""
        return cls(frame.pts, frame.time_base, frame.duration)


@dataclass(frozen=True, slots=True)
class WrittenVideo:
    """Summary of a written video."""

    frames: int
    duration_s: float
    encoder: str


def probe_clip(video: Path, params: ClipPart) -> VideoInfo:
    """Probe a video, and check that the part in `params` begins within it.

    Raises UnsupportedMedia for a still image, Invalid if the part begins after the end.
    """
    info = probe_video(video)
    check_start(info, params.start)
    return info


def matte_warnings(matte: Path, params: ClipPart, *, info: VideoInfo) -> Iterator[str]:
    """Yield warnings about a matte whose size or length does not fit the video.

    `info`: properties of the video. Raises UnsupportedMedia for a still image.
    """
    matte_info = probe_video(matte, hint="a matte is a gray video with the same length as the clip")
    if abs(matte_info.width * info.height / (info.width * matte_info.height) - 1) > _SHAPE_TOLERANCE:
        matte_size = f"{matte_info.width}x{matte_info.height}"
        yield f"The matte ({matte_size}) was stretched to the aspect ratio of the video ({info.width}x{info.height})."
    until = info.length_s if params.duration is None else min(info.length_s, params.start + params.duration)
    if matte_info.frames < info.frames and matte_info.length_s < until - 2 / float(rate_of(info)) - _LENGTH_TOLERANCE_S:
        yield f"The matte ends at {matte_info.length_s:.2f} s: its last frame was held from there to {until:.2f} s."


def part_end(params: ClipPart) -> Fraction | None:
    """Return the end of the part that `params` select, in source seconds.

    None stands for the clip's end.
    """
    return None if params.duration is None else to_fraction(params.start) + to_fraction(params.duration)


def frame_size(info: VideoInfo) -> FrameSize:
    """Return the frame size of a video, for estimates of memory."""
    return FrameSize(width=info.width, height=info.height, pixel_format=info.pixel_format, frame_rate=info.rate)


def rate_of(info: VideoInfo) -> Fraction:
    """Return a video's average frame rate in fps.

    25 if the file does not state one.
    """
    return info.rate if info.rate > 0 else DEFAULT_RATE


def expected_frames(info: VideoInfo, params: ClipPart) -> int:
    """Estimate the number of frames of a video in the part that `params` select."""
    if params.whole:
        return max(info.frames, 1)
    left = max(info.length_s - params.start, 0)
    return max(round(min(left, params.duration or left) * float(rate_of(info))), 1)


def write_again(
    pictures: Iterable[tuple[Times, av.VideoFrame]],
    params: ClipPart,
    *,
    video: Path,
    info: VideoInfo,
    output: Path,
    progress: Progress,
    background: str = BLACK,
) -> WrittenVideo:
    """Write `pictures` to `output`, with the sound and tags of `video`.

    `pictures`: each with the times of its source frame. A whole clip keeps its times, and its sound is copied. A part begins at time 0; its
    sound is cut to the exact sample and encoded again. `progress` gets a warning for each property that could not be kept. `background`:
    the colour that transparent parts were put on. Raises Invalid if there is no picture.
    """
    for warning in conversion_warnings(info, to_sdr8=True, background=background):
        progress.warn(warning)
    expected, count, end = expected_frames(info, params), 0, Fraction(0)
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
                    steady=not info.variable_frame_rate,
                )
                stack.enter_context(writer)
                writer.copy_tags(video)
                begin = Fraction(0) if params.whole else times.pts * times.time_base
                timecode_kept = writer.set_timecode(timecode_at(info, begin))
                for warning in track_warnings(info, timecode_kept=timecode_kept):
                    progress.warn(warning)
                if params.whole:
                    for warning in writer.copy_audio(video):
                        progress.warn(warning)
                else:
                    first = times.pts * times.time_base
                    sound = stack.enter_context(PartSound(writer, video, info, start=first))
                writer.copy_texts(video, start=first, end=part_end(params))
            writer.write(picture, times.pts - round(first / times.time_base), duration=times.duration)
            count += 1
            end = (times.pts + times.duration) * times.time_base - first
            if sound is not None:
                sound.write(until=end)
            progress(min(count, expected), expected)
        if writer is None:
            raise no_frame(params.start)
    for warning in [*writer.warnings, *(sound.warnings if sound else [])]:
        progress.warn(warning)
    progress(expected, expected)
    return WrittenVideo(count + writer.repeated, float(end - writer.moved), writer.encoder)
