"""Identification of media files by content, and their properties."""

import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av
import av.container
import av.error

from shared.errors import BrokenMedia, UnsupportedMedia
from shared.media.types import FileType, is_image, is_zip
from shared.video.formats import video_type
from shared.video.frames.color import tags_of
from shared.video.frames.display import displayed_size, has_alpha, orientation_of
from shared.video.image import image_info, pictures_info
from shared.video.info import AudioTrackInfo, MediaInfo, VideoInfo
from shared.video.limits import Limits
from shared.video.reading.decoder import open_decoder
from shared.video.reading.open_input import (
    audio_streams,
    check_promised_size,
    error_text,
    file_head,
    main_video,
    open_input,
    time_base_of,
    timeline_zero,
)
from shared.video.reading.truncation import is_truncated
from shared.video.timecode import start_timecode

# Number of packets that show whether the frame rate varies, for files without an index.
_PACKETS_LOOKED_AT = 120
# Reading the index of a film of several hours takes a second.
_ENTRIES_LOOKED_AT = 20_000


def probe(path: str | os.PathLike[str], *, limits: Limits | None = None) -> MediaInfo:
    """Describe a video, an image or a zip file of images.

    Cheap: reads the header, some packets and the first frame. Raises UnsupportedMedia (playlists, scripts, sound without a picture),
    BrokenMedia (empty, damaged, no decodable frame) or TooLarge. `frames` is the container's count, or else the duration times the average
    rate.
    """
    return _examined(path, limits or Limits.in_force())[0]


def probe_video(path: str | os.PathLike[str], *, hint: str = "this operation needs a video") -> VideoInfo:
    """Probe a file that has to be a video.

    Raises what `probe` raises, and UnsupportedMedia for a still image; `hint` ends that message: "this effect needs a video".
    """
    info = probe(path)
    if not isinstance(info, VideoInfo):
        raise UnsupportedMedia(f"{Path(path).name!r} is a still image: {hint}.")
    return info


def inspect(args: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Probe a file, in a worker process.

    Takes `{"path"}`; returns `{"kind", "content_type", "suffix", "media"}`.
    """
    info, kind = _examined(args["path"], Limits.in_force())
    return {"kind": info.kind, "content_type": kind.content_type, "suffix": kind.suffix, "media": info.model_dump(mode="json")}


def _examined(path: str | os.PathLike[str], limits: Limits) -> tuple[MediaInfo, FileType]:
    head = file_head(path, limits)
    if is_image(head):
        return image_info(path, limits)
    if is_zip(head):
        return pictures_info(path, limits)
    with open_input(path, limits=limits) as container:
        info = _video(container, path, limits)
        if is_truncated(path, container, head):
            raise BrokenMedia(f"{Path(path).name!r} is cut off: it ends before its own index says. Upload or copy it again.")
        return info, video_type(container.format.name, head)


def _video(container: av.container.InputContainer, path: str | os.PathLike[str], limits: Limits) -> VideoInfo:
    stream = main_video(container, path)
    context = stream.codec_context
    base = time_base_of(stream)
    check_promised_size(stream, path, limits)
    zero = timeline_zero(container, stream)
    duration = _duration(container, stream, zero)
    limits.check_duration(float(duration))
    varies, step = _rate_varies(container, stream)
    # The file is opened again: without an index, seeking back to the start may skip the first keyframe.
    with open_input(path, limits=limits) as fresh:
        picture = first_picture(fresh, main_video(fresh, path), path, limits)
    orientation = orientation_of(picture)
    width, height = displayed_size(picture.width, picture.height, stream.sample_aspect_ratio, orientation)
    limits.check_size(width, height)
    rate = _rate(stream, base, None if varies else step, len(stream.index_entries) or stream.frames, duration)
    return VideoInfo(
        container=container.format.name.partition(",")[0],
        duration_s=float(duration),
        start_s=float(zero),
        start_timecode=start_timecode(stream.metadata, container.metadata, *(data.metadata for data in container.streams.data)),
        width=width,
        height=height,
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        variable_frame_rate=varies,
        frames=stream.frames or max(round(duration * rate), 1),
        codec=context.codec.canonical_name,
        pixel_format=picture.format.name,
        rotation=orientation.rotation,
        mirrored=orientation.mirrored,
        interlaced=picture.interlaced_frame,
        sample_aspect_ratio=_ratio(stream.sample_aspect_ratio),
        color=tags_of(picture, pixel_format=picture.format.name),
        has_alpha=has_alpha(picture.format.name),
        audio=tuple(_track(track) for track in audio_streams(container)),
    )


def first_picture(container: Any, stream: Any, path: str | os.PathLike[str], limits: Limits) -> av.VideoFrame:
    """Decode the first frame that can be decoded.

    Raises BrokenMedia if there is none.
    """
    # For a single frame, threads that decode several frames at once only take time.
    decoder = open_decoder(stream, limits, thread_type="SLICE")
    failure: Exception | None = None
    try:
        for packet in container.demux(stream):
            try:
                for picture in decoder.decode(packet):
                    limits.check_size(picture.width, picture.height)
                    return cast(av.VideoFrame, picture)
            except av.error.EOFError:
                break
            except av.error.FFmpegError as error:
                failure = failure or error
    except av.error.FFmpegError as error:
        failure = failure or error
    said = "" if failure is None else f" ({error_text(failure)})"
    raise BrokenMedia(f"{Path(path).name!r} holds no frame that can be decoded{said}. Export or upload it again.") from failure


def _duration(container: Any, stream: Any, zero: Fraction) -> Fraction:
    """Return the video track's length from the timeline's start.

    If the track states no length, the container's duration.
    """
    if stream.duration and stream.time_base:
        start = (stream.start_time or 0) * stream.time_base
        end = Fraction(start + stream.duration * stream.time_base)
        return max(end - zero, Fraction(0))
    if container.duration and container.duration > 0:
        return Fraction(container.duration, 1_000_000)
    return Fraction(0)


def _rate_varies(container: Any, stream: Any) -> tuple[bool, int | None]:
    """Check whether the frame rate varies.

    If not, also return the distance between frames in ticks. Uses the container's index where it lists every frame, else the first packets,
    which are consumed.
    """
    indexed = container.format.name.startswith("mov")
    times = [entry.timestamp for entry in stream.index_entries[:_ENTRIES_LOOKED_AT]] if indexed else []
    if len(times) < 2:
        times = []
        try:
            for packet in container.demux(stream):
                if packet.pts is not None:
                    times.append(packet.pts)
                if len(times) >= _PACKETS_LOOKED_AT:
                    break
        except av.error.FFmpegError:
            return False, None
        # Ignore the last frames: packets after the cut may hold frames shown between them.
        times = sorted(times)[: -4 if len(times) > 16 else None]
    steps = [after - before for before, after in pairwise(times) if after > before]
    if not steps:
        return False, None
    # Some containers round times to milliseconds, so distances differ by up to one.
    slack = 1 if time_base_of(stream).denominator <= 1000 else 0
    typical = sorted(steps)[len(steps) // 2]
    # The end of the file's edit often cuts the last distance short.
    return any(abs(step - typical) > 1 + slack for step in steps[:-1]), typical


def _rate(stream: Any, base: Fraction, step: int | None, count: int, duration: Fraction) -> Fraction:
    """Return the frame rate of a stream.

    Exact for even spacing in fine ticks, else the average, snapped to a standard rate close by.
    """
    if step is not None and 1 / base > 1000:
        return _short(1 / (step * base))
    average = stream.average_rate or stream.guessed_rate
    if not average and count and duration:
        average = Fraction(count) / duration
    if not average or average <= 0:
        return Fraction(25)
    for denominator in (1001, 1):
        standard = Fraction(round(average * denominator / 1000) * 1000 if denominator == 1001 else round(average), denominator)
        if standard and abs(standard / average - 1) < Fraction(1, 5000):
            return standard
    return _short(average)


def _short(rate: Fraction) -> Fraction:
    """Round a rate to a denominator of at most a million."""
    return rate.limit_denominator(1_000_000)


def _track(stream: Any) -> AudioTrackInfo:
    context = stream.codec_context
    return AudioTrackInfo(
        codec=context.codec.canonical_name,
        sample_rate=context.sample_rate,
        channels=context.channels,
        layout=context.layout.name,
        duration_s=float(stream.duration * stream.time_base) if stream.duration else None,
        language=None if stream.language == "und" else stream.language,
    )


def _ratio(ratio: Fraction | None) -> str:
    return f"{ratio.numerator}/{ratio.denominator}" if ratio else "1/1"
