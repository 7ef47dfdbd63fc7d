"""Copying of a file's tracks into an MP4 file, without re-encoding."""

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from shared.errors import BrokenMedia, UnsupportedMedia
from shared.media.partial_name import partial_path
from shared.video.limits import Limits
from shared.video.reading.animated_webp import is_animated_webp
from shared.video.reading.metadata import keep_track_tags, kept_tags
from shared.video.reading.open_input import audio_streams, file_head, main_video, open_input, time_base_of, timeline_zero
from shared.video.reading.texts import read_chapters, read_subtitles
from shared.video.reading.times.clock import clock_of
from shared.video.reading.times.shape_changes import shape_changes
from shared.video.reading.times.stated_end import stated_end
from shared.video.writing.copied_tracks import COPYABLE
from shared.video.writing.mp4_header import set_picture_length
from shared.video.writing.output_file import in_milliseconds
from shared.video.writing.picture_ends.last_packet import LastPacket
from shared.video.writing.texts import mux_subtitles

# Codecs that MP4 holds and browsers or common players play.
_VIDEO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})

_LONGEST_LATE_S = Fraction(1, 20)
"""Longest delay of a first picture, in seconds. The picture is shown from time 0 instead; the frame rate still counts as constant."""
_MOST_WAITING = 2000  # most packets that are held until the first packet with a decoding time


def remux(
    source: str | os.PathLike[str], output: str | os.PathLike[str], *, limits: Limits | None = None, sound_end: Fraction | None = None
) -> None:
    """Copy video, audio, text subtitles, chapters and tags into an MP4 file.

    The index is in front, the timeline starts at 0, and a picture that is at most 50 ms late is shown from there. `sound_end`: the second
    from which sound is left out, or None. Raises UnsupportedMedia if MP4 cannot hold a stream; callers then encode. Raises BrokenMedia for
    a file without a readable picture. On failure no file is left.
    """
    target = Path(output)
    partial = partial_path(target, ".mp4")
    try:
        _copy(source, partial, limits or Limits.current(), sound_end)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: str | os.PathLike[str], partial: Path, limits: Limits, sound_end: Fraction | None) -> None:
    with open_input(source, limits=limits) as container:
        video = main_video(container, source)
        streams: list[Any] = [video, *audio_streams(container)]
        for stream in streams:
            name = stream.codec_context.codec.canonical_name
            if name == "ffv1" and is_animated_webp(file_head(source, limits)):
                name = "webp"
            if name not in (_VIDEO if stream is video else COPYABLE["mp4"]):
                raise UnsupportedMedia(f"An MP4 file cannot contain {name}: the track has to be re-encoded.")
        if len(streams) - 1 < len(container.streams.audio):
            raise UnsupportedMedia("An audio track uses an unknown codec: it cannot be copied.")
        if len(shape_changes(container, source, limits)) > 1:
            raise UnsupportedMedia(
                "The size or pixel aspect ratio of the picture changes, which players show stretched: the picture has to be re-encoded."
            )
        zero = timeline_zero(container, video)
        clock = clock_of(container, source, limits)
        if video.index in clock.even:
            raise UnsupportedMedia("The times of its fragments are wrong: it has to be encoded.")
        if any(stream.index in clock.varying for stream in streams):
            raise UnsupportedMedia("The sample rate or the channels of the sound change: it has to be encoded.")
        packets = clock.packets(container.demux(streams))
        try:
            with av.open(str(partial), "w", format="mp4", container_options={"movflags": "+faststart", "fflags": "+bitexact"}) as target:
                target.metadata.update(kept_tags(container.metadata))
                copies = {stream.index: target.add_stream_from_template(stream, opaque=True) for stream in streams}
                if video.codec_context.codec.canonical_name == "hevc":
                    # Apple's software plays HEVC only under the tag hvc1.
                    copies[video.index].codec_context.codec_tag = "hvc1"
                for stream in streams:
                    keep_track_tags(stream, copies[stream.index])
                write_subtitles = mux_subtitles(target, read_subtitles(source, limits), target.mux)
                chapters = read_chapters(container, zero)
                if chapters:
                    target.set_chapters(in_milliseconds(chapters))
                write_subtitles()
                pictures = LastPacket(target.mux, by_decoding=True)
                last, end, empty = zero, Fraction(0), True
                offsets = {stream.index: _ticks(zero, stream) for stream in streams}
                for packet in _with_decoding_times(packet for packet in packets if packet.size):
                    offset = offsets[packet.stream.index]
                    packet.stream = copies[packet.stream.index]
                    packet.dts -= offset
                    packet.pts = packet.dts if packet.pts is None else packet.pts - offset
                    if packet.stream is not copies[video.index]:
                        if sound_end is None or packet.pts * packet.time_base < sound_end:
                            target.mux(packet)
                        continue
                    if empty:
                        _show_from_start(packet)
                    empty = False
                    last = max(last, packet.pts * packet.time_base + zero)
                    end = max(end, (packet.pts + (packet.duration or 1)) * packet.time_base)
                    pictures.push(packet)
                if empty:
                    raise BrokenMedia(f"{Path(source).name!r} holds no picture that can be copied. Export or upload it again.")
                stated = stated_end(source, container, video, last)
                length = pictures.finish(end if stated is None else stated - zero)
            if length is not None:
                set_picture_length(partial, length)
        except (av.error.ArgumentError, av.error.InvalidDataError, av.error.NotImplementedError) as error:
            raise UnsupportedMedia(f"The streams cannot be copied into an MP4 file as they are ({error}).") from error


def _show_from_start(packet: Any) -> None:
    """Let a track's first picture be shown from time 0 on.

    A later start would be an empty edit, which some players show as black. Raises UnsupportedMedia if an even rate would not stay even.
    """
    if packet.pts * packet.time_base > _LONGEST_LATE_S:
        raise UnsupportedMedia("The picture begins later than the sound: it has to be encoded to begin at once.")
    if packet.pts > 0:
        packet.pts, packet.dts = 0, min(packet.dts, 0)


def _ticks(zero: Fraction, stream: Any) -> int:
    return round(zero / time_base_of(stream))


def _with_decoding_times(packets: Iterable[Any]) -> Iterator[Any]:
    """Fill in the decoding times that Matroska omits at the start.

    Matroska has none before its first reordered pictures. They are counted back from the first known time, one frame each, so each is
    before its own presentation time.
    """
    undated: list[Any] = []
    for packet in packets:
        if packet.dts is None:
            undated.append(packet)
            if packet.pts is None or len(undated) > _MOST_WAITING:
                raise UnsupportedMedia("The packets have no decoding times: the picture has to be re-encoded.")
            continue
        if undated and undated[0].stream.index == packet.stream.index:
            yield from _counted_back(undated, packet.dts)
            undated = []
        yield packet
    if undated:
        yield from _counted_back(undated, min(packet.pts for packet in undated))


def _counted_back(packets: list[Any], end: int) -> list[Any]:
    for back, packet in enumerate(reversed(packets), start=1):
        packet.dts = end - back * (packet.duration or 1)
    return packets
