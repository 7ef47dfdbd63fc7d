"""Opening of untrusted files, with whitelists and limits.

Every media file is opened here, so that the limits apply to all.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
import av.container
import av.error
import av.stream
import av.video.stream

from shared.errors import BrokenMedia, NotFound, ReelwrightError, TooLarge, UnsupportedMedia
from shared.media.types import DEMUXERS
from shared.video.formats import allowed_decoders, decoder_allowed
from shared.video.limits import Limits
from shared.video.reading.animated_webp import decodable_copy, is_animated_webp
from shared.video.reading.containers.address import Address, addresses, whole_fragments
from shared.video.reading.gif_steps import with_usual_steps
from shared.video.reading.hardware import accelerator
from shared.video.reading.joined_input import JoinedInput

HEAD_BYTES = 4096
_NO_DECODERS = {"codec_whitelist": "none"}
_LISTED_CHANNELS = re.compile(r"\d+ channels? \(")


def file_head(path: str | os.PathLike[str], limits: Limits) -> bytes:
    """Read the first bytes of a regular file.

    Raises NotFound, UnsupportedMedia (a folder, a pipe, a device), BrokenMedia (an empty file) or TooLarge.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise NotFound(f"There is no file {os.fspath(path)!r} to read ({error.strerror}).") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnsupportedMedia(f"{Path(path).name!r} is not a regular file. Give a video or image file.")
    if status.st_size == 0:
        raise BrokenMedia(f"{Path(path).name!r} is empty (0 bytes). Upload it again.")
    limits.check_bytes(status.st_size)
    with open(path, "rb") as file:
        return file.read(HEAD_BYTES)


@contextmanager
def open_input(
    path: str | os.PathLike[str], *, limits: Limits, hardware: bool = False, decoders: bool = True
) -> Iterator[av.container.InputContainer]:
    """Open a local video file as a PyAV container, with limits.

    The path is never treated as a URL. The demuxer must be one of DEMUXERS, whatever the suffix, and can open no other file. `hardware`:
    decode on the GPU what it can decode. `decoders`: without them no stream has a codec context. Raises NotFound, UnsupportedMedia,
    BrokenMedia or TooLarge. Library errors inside the `with` block become BrokenMedia as well.
    """
    head = file_head(path, limits)
    corrected = decodable_copy(path, limits) if is_animated_webp(head) else with_usual_steps(path, head)
    with corrected as source, addresses(source, head) as parts:
        try:
            options = {"max_pixels": str(limits.max_pixels)} | ({} if decoders else _NO_DECODERS)
            container = _opened(parts, source, head, limits, options, hardware=hardware)
        except Exception as error:
            raise media_error(error, path, limits) from error
        try:
            limits.check_streams(len(container.streams))
            yield container
        except av.error.FFmpegError as error:
            raise media_error(error, path, limits) from error
        finally:
            container.close()


@contextmanager
def open_packets(
    path: str | os.PathLike[str], *, limits: Limits
) -> Iterator[tuple[av.container.InputContainer, av.video.stream.VideoStream]]:
    """Open a local video file for reading the packets of its main video.

    FFmpeg decodes the first pictures of a file that it opens. MP4 states everything about its packets, so MP4 files with one video stream
    are opened without decoders, in a fiftieth of the time. Raises what `open_input` and `main_video` raise.
    """
    if file_head(path, limits)[4:8] == b"ftyp":
        with open_input(path, limits=limits, decoders=False) as container:
            streams = _pictures(container)
            if len(streams) == 1:
                yield container, streams[0]
                return
    with open_input(path, limits=limits) as container:
        yield container, main_video(container, path)


def _opened(
    parts: Sequence[Address], path: str | os.PathLike[str], head: bytes, limits: Limits, options: dict[str, str], *, hardware: bool = False
) -> av.container.InputContainer:
    """Open a file whose parts have the addresses `parts`."""
    first, *later = parts
    try:
        container = _opened_at(first, limits, options, hardware=hardware)
    except (av.error.InvalidDataError, av.error.EOFError):
        address = whole_fragments(path, head)
        if address is None:
            raise
        container = _opened_at(address, limits, options, hardware=hardware)
    if not first.one_by_one:
        return container
    # The packets of MP4 are complete without decoders.
    options |= _NO_DECODERS if head[4:8] == b"ftyp" else {}
    opened = [partial(_opened_at, address, limits, options, hardware=False) for address in later]
    return cast(av.container.InputContainer, JoinedInput(container, opened, [address.cut for address in (first, *later)]))


def _opened_at(address: Address, limits: Limits, options: dict[str, str], *, hardware: bool) -> av.container.InputContainer:
    guards = {
        "format_whitelist": ",".join(DEMUXERS),
        "protocol_whitelist": address.protocols,
        "codec_whitelist": allowed_decoders(),
        # One stream more than allowed, to distinguish "too many" from "broken".
        "max_streams": str(limits.max_streams + 1),
        # As in browsers, a picture of at most 10 ms in an APNG stands for 100 ms.
        "max_fps": "99",
        # A recorder of MPEG-TS that starts anew may number its tracks differently.
        "merge_pmt_versions": "1",
        "default_fps": "10",
    }
    acceleration = accelerator() if hardware else None
    container = av.open(address.url, "r", options=guards | options, metadata_errors="replace", hwaccel=acceleration)
    for stream in container.streams.audio:
        _count_channels(stream)
    return container


def _count_channels(stream: Any) -> None:
    """Replace a list of a sound track's speaker positions by their number.

    PyAV 18.1 frees such a list twice, which ends the process. QuickTime files with PCM in 7.1 have one.
    """
    if stream.codec_context is not None:
        layout = stream.codec_context.layout
        if _LISTED_CHANNELS.match(layout.name):
            stream.codec_context.layout = f"{layout.nb_channels} channels"


def check_promised_size(stream: Any, path: str | os.PathLike[str], limits: Limits) -> None:
    """Raise TooLarge if a file's header states a picture size above the limit.

    The size is checked before any picture is decoded. If a decoder refused the size, the container's size is read without decoders.
    """
    context = stream.codec_context
    limits.check_size(context.width, context.height)
    if context.width * context.height:
        return
    head = file_head(path, limits)
    with addresses(path, head) as parts, suppress(av.error.FFmpegError), _opened(parts, path, head, limits, _NO_DECODERS) as container:
        for promised in container.streams.video:
            if promised.codec_context is not None:
                limits.check_size(promised.codec_context.width, promised.codec_context.height)


def error_text(error: Exception) -> str:
    """Return an error's message without error number and file path."""
    reason = error.strerror if isinstance(error, av.error.FFmpegError) else None
    return reason or str(error) or type(error).__name__


def media_error(error: Exception, path: str | os.PathLike[str], limits: Limits) -> ReelwrightError:
    """Return the Reelwright error for a library's error on opening or reading a file."""
    name = Path(path).name
    if isinstance(error, av.error.MemoryError):
        return TooLarge(
            f"{name!r} has too many streams, or needs too much memory to open. At most {limits.max_streams} streams are allowed."
        )
    if isinstance(error, av.error.ArgumentError | av.error.DemuxerNotFoundError | av.error.ProtocolNotFoundError):
        kinds = ", ".join(sorted(kind.suffix for kind in DEMUXERS.values()))
        return UnsupportedMedia(
            f"{name!r} is not a video in a supported format ({kinds}). Its content decides, not its name. Convert it to MP4."
        )
    return BrokenMedia(
        f"{name!r} cannot be read as video ({error_text(error)}). It may be truncated or damaged. Export or upload it again."
    )


def main_video(container: av.container.InputContainer, path: str | os.PathLike[str]) -> av.video.stream.VideoStream:
    """Return a container's main video stream.

    It is the default stream, else the largest; never a cover image, nor a still beside a sequence. Raises UnsupportedMedia if there is
    none, or its codec is not allowed.
    """
    name = Path(path).name
    streams = _pictures(container)
    if not streams:
        if container.streams.audio:
            raise UnsupportedMedia(f"{name!r} contains sound but no picture. Give a file with a video stream.")
        raise UnsupportedMedia(f"{name!r} contains no video stream. Give a video file.")
    stream = max(streams, key=_rank)
    if stream.codec_context is None:
        raise UnsupportedMedia(f"The picture of {name!r} uses a codec that this server does not know. Export it as H.264.")
    codec = stream.codec_context.codec.name
    if not decoder_allowed(codec):
        raise UnsupportedMedia(f"The picture of {name!r} is coded as {codec!r}, which is not supported. Export it as H.264.")
    return stream


def _pictures(container: av.container.InputContainer) -> list[av.video.stream.VideoStream]:
    """List the video streams that are not cover images."""
    covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return [stream for stream in container.streams.video if not stream.disposition & covers]


def _rank(stream: av.video.stream.VideoStream) -> tuple[bool, bool, bool, int]:
    has_codec = stream.codec_context is not None
    size = stream.codec_context.width * stream.codec_context.height if has_codec else 0
    # Sequences of AVIF and HEIC hold a still of one frame as the default.
    return has_codec, stream.frames != 1, bool(stream.disposition & av.stream.Disposition.default), size


def audio_streams(container: av.container.InputContainer) -> list[Any]:
    """Return the decodable audio streams, in file order."""
    return [
        stream
        for stream in container.streams.audio
        if stream.codec_context is not None and decoder_allowed(stream.codec_context.codec.name)
    ]


def timeline_zero(container: av.container.InputContainer, video: av.video.stream.VideoStream) -> Fraction:
    """Return the time in the file that counts as time 0, in seconds.

    This time is the earliest start of picture and sound, and a multiple of the picture's time base. It is subtracted from all times, so
    that sound and picture keep their distance. Sound before time 0 from encoder priming does not count, since decoders cut it off.
    """
    base = time_base_of(video)
    starts = [video.start_time * base] if video.start_time is not None else []
    for stream in container.streams.audio:
        if stream.start_time is not None and stream.time_base:
            start = stream.start_time * stream.time_base
            starts.append(max(start, Fraction(0)) if start > Fraction(-1, 5) else start)
    zero = min(starts, default=Fraction(0))
    return round(zero / base) * base


def time_base_of(stream: Any) -> Fraction:
    """Return the time base of a stream.

    Raises BrokenMedia if it is missing or not positive.
    """
    base: Fraction | None = stream.time_base
    if base is None or base <= 0:
        raise BrokenMedia(f"Stream {stream.index} has no usable time base ({base}). Export the file again.")
    return base
