"""Probing of media files: their type, found from the content, and their properties."""

import os
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import av
import av.container
import av.error

from shared.errors import BrokenMedia, UnsupportedMedia
from shared.file_calls import FileRequest, ProbedFile
from shared.media.types import FileType, is_image, is_zip
from shared.media_info import AudioTrackInfo, MediaInfo, VideoInfo
from shared.operation import Kind
from shared.settings import current
from shared.video.formats import video_type
from shared.video.frames.color import tags_of
from shared.video.frames.display import displayed_size, orientation_of
from shared.video.limits import Limits
from shared.video.probing.joined_files import followed_warnings
from shared.video.probing.timecode import start_timecode
from shared.video.probing.timing import Timing, joined_warnings, size_warnings, timing
from shared.video.probing.track_list import chapter_infos, other_tracks, subtitle_tracks
from shared.video.probing.transparency import may_be_transparent
from shared.video.reading.animated_webp import is_animated_webp, is_animation
from shared.video.reading.captions import captions_found, shows_captions
from shared.video.reading.containers.following_files import following_files
from shared.video.reading.containers.truncation import flv_ends_well, is_truncated, is_unfinished_avi
from shared.video.reading.decoding.decoder import open_decoder
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
from shared.video.reading.reader import read_frames
from shared.video.reading.times.shape_changes import pixel_ratio_at
from shared.video.stills.image import image_info, pictures_info

_PROBE_SHARE = 0.5
"""Share of the probe's time limit for reading a file's packets."""


def probe(path: str | os.PathLike[str], *, limits: Limits | None = None) -> MediaInfo:
    """Describe a video, an image or a zip file of images.

    Where the container does not say how long the picture is, or its clock may jump, the packets are read. Raises UnsupportedMedia
    (playlists, scripts, sound without a picture), BrokenMedia (empty, damaged, no decodable frame) or TooLarge. `frames` is the container's
    count or that of the packets, or else the duration times the average rate.
    """
    return _examined(path, limits or Limits.current(), None)[0]


def probe_video(path: str | os.PathLike[str], *, hint: str = "this operation needs a video") -> VideoInfo:
    """Probe a file that must be a video, its length included.

    If neither the file nor its packets state the length, all frames are decoded to find it. Raises the errors of `probe`, the errors of
    `read_frames` for a damaged file, and UnsupportedMedia for a still image; `hint` ends that message: "this effect needs a video".
    """
    info = probe(path)
    if not isinstance(info, VideoInfo):
        raise UnsupportedMedia(f"{Path(path).name!r} is a still image: {hint}.")
    if info.duration_s is not None:
        return info
    status = os.stat(path)
    end, frames = _read_to_end(os.path.abspath(path), status.st_size, status.st_mtime_ns)
    return info.model_copy(update={"duration_s": float(end), "frames": frames})


@lru_cache(maxsize=16)
def _read_to_end(path: str, _size: int, _mtime_ns: int) -> tuple[Fraction, int]:
    """Decode all frames; return the last frame's end, and the number of frames.

    The end is in seconds.
    """
    end, count, limits = Fraction(0), 0, Limits.current()
    with read_frames(path, limits=limits) as frames:
        for frame in frames:
            end, count = (frame.pts + frame.duration) * frame.time_base, count + 1
            limits.check_duration(float(end))
    return end, count


def inspect(request: FileRequest, _progress: object) -> ProbedFile:
    """Probe the file that `request` names. Runs in a worker process."""
    info, file_type = _examined(request.path, Limits.current(), current().probe_timeout_s * _PROBE_SHARE)
    return ProbedFile(kind=Kind(info.kind), content_type=file_type.content_type, suffix=file_type.suffix, media=info)


def _examined(path: str | os.PathLike[str], limits: Limits, seconds: float | None) -> tuple[MediaInfo, FileType]:
    head = file_head(path, limits)
    if is_image(head) and not is_animation(head):
        return image_info(path, limits)
    if is_zip(head):
        return pictures_info(path, limits)
    with open_input(path, limits=limits) as container:
        info = _video(container, path, limits, seconds)
        if is_truncated(path, container, head):
            raise BrokenMedia(f"{Path(path).name!r} is truncated: it ends before the end that its index states. Upload or copy it again.")
        return info, video_type(container.format.name, head)


def _video(container: av.container.InputContainer, path: str | os.PathLike[str], limits: Limits, seconds: float | None) -> VideoInfo:
    stream = main_video(container, path)
    context = stream.codec_context
    check_promised_size(stream, path, limits)
    zero = timeline_zero(container, stream)
    times = timing(container, stream, path, limits, seconds=seconds)
    limits.check_duration(float(times.duration or 0))
    if times.untouched:
        picture = first_picture(container, stream, path, limits)
        captions = _has_captions(container, stream, picture, times)
    else:
        # The file is opened again: without an index, seeking back to the start may skip the first keyframe.
        with open_input(path, limits=limits) as fresh:
            picture = first_picture(fresh, main_video(fresh, path), path, limits)
            captions = _has_captions(fresh, main_video(fresh, path), picture, times)
    orientation = orientation_of(picture)
    pixel_ratio = pixel_ratio_at(times.sizes, stream.sample_aspect_ratio, picture.pts)
    width, height = displayed_size(picture.width, picture.height, pixel_ratio, orientation)
    limits.check_size(width, height)
    return VideoInfo(
        container=_container(container, path, limits),
        duration_s=None if times.duration is None else float(times.duration),
        start_s=float(zero),
        start_timecode=start_timecode(stream.metadata, container.metadata, *(data.metadata for data in container.streams.data)),
        width=width,
        height=height,
        frame_rate=_ratio(times.rates.average),
        constant_rate=_ratio(times.rates.constant),
        variable_frame_rate=times.rates.varies,
        frames=times.frames or 1,
        codec="webp" if is_animated_webp(file_head(path, limits)) else context.codec.canonical_name,
        pixel_format=picture.format.name,
        rotation=orientation.rotation,
        mirrored=orientation.mirrored,
        interlaced=picture.interlaced_frame,
        sample_aspect_ratio=_ratio(pixel_ratio),
        color=tags_of(picture, pixel_format=picture.format.name),
        has_alpha=may_be_transparent(picture, container.format.name, path),
        audio=tuple(_track(track, times) for track in audio_streams(container)),
        subtitles=tuple(subtitle_tracks(container)),
        chapters=tuple(chapter_infos(container, zero)),
        other_tracks=tuple(other_tracks(container, stream, captions=captions)),
        warnings=(
            *_cut_off(path, container, times),
            *followed_warnings(following_files(path, _container(container, path, limits)), times),
            *joined_warnings(times.joins, zero),
            *size_warnings(times.sizes, time_base_of(stream), zero),
        ),
    )


def first_picture(container: Any, stream: Any, path: str | os.PathLike[str], limits: Limits) -> av.VideoFrame:
    """Return the first frame that decodes without an error.

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
    reason = "" if failure is None else f" ({error_text(failure)})"
    raise BrokenMedia(f"{Path(path).name!r} contains no frame that can be decoded{reason}. Export or upload it again.") from failure


def _has_captions(container: Any, stream: Any, picture: av.VideoFrame, times: Timing) -> bool:
    """Return whether an open file's pictures carry closed captions.

    `picture`: the first picture, which was read from `container`.
    """
    return captions_found(container, stream) or shows_captions(picture) if times.captions is None else times.captions


def _track(stream: Any, times: Timing) -> AudioTrackInfo:
    context = stream.codec_context
    end = times.ends.get(stream.index)
    stated = stream.duration * stream.time_base if stream.duration and stream.time_base else None
    duration = stated if end is None and times.whole else end
    return AudioTrackInfo(
        codec=context.codec.canonical_name,
        sample_rate=context.sample_rate,
        channels=context.channels,
        layout=context.layout.name,
        duration_s=None if duration is None else float(duration),
        language=None if stream.language == "und" else stream.language,
    )


def _container(container: Any, path: str | os.PathLike[str], limits: Limits) -> str:
    return "webp" if is_animated_webp(file_head(path, limits)) else str(container.format.name.partition(",")[0])


def _cut_off(path: str | os.PathLike[str], container: Any, times: Timing) -> Iterator[str]:
    if times.duration is None:
        return
    if container.format.name == "avi" and is_unfinished_avi(path):
        yield f"The recording was not finished: only the part before {float(times.duration):.2f} s is used."
    elif not times.whole or (container.format.name == "flv" and not flv_ends_well(path)):
        yield f"The file is truncated: only the part before {float(times.duration):.2f} s is used."


def _ratio(ratio: Fraction | None) -> str:
    return f"{ratio.numerator}/{ratio.denominator}" if ratio else "1/1"
