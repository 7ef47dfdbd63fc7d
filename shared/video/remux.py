"""The same streams in an MP4 file, not a bit of them changed."""

import os
import secrets
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from shared.errors import UnsupportedMedia
from shared.video.limits import Limits
from shared.video.opening import audio_streams, main_video, open_input, time_base_of, timeline_zero
from shared.video.tracks import COPYABLE

# What MP4 holds and browsers or common players show.
_VIDEO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})


def remux(source: str | os.PathLike[str], output: str | os.PathLike[str], *, limits: Limits | None = None) -> None:
    """Copy the picture and all audio tracks into an MP4 file, index in front, with the timeline moved to 0.

    Raises UnsupportedMedia if MP4 cannot hold a stream: the caller encodes then. Nothing is left behind on failure.
    """
    target = Path(output)
    partial = target.with_name(f".{target.stem[:60]}.{secrets.token_hex(6)}.part.mp4")
    try:
        _copy(source, partial, limits or Limits())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: str | os.PathLike[str], partial: Path, limits: Limits) -> None:
    with open_input(source, limits=limits) as container:
        video = main_video(container, source)
        streams: list[Any] = [video, *audio_streams(container)]
        for stream in streams:
            name = stream.codec_context.codec.canonical_name
            if name not in (_VIDEO if stream is video else COPYABLE["mp4"]):
                raise UnsupportedMedia(f"An MP4 file cannot hold {name} as it is: it has to be encoded.")
        if len(streams) - 1 < len(container.streams.audio):
            raise UnsupportedMedia("An audio track is coded in a way that is not known here: it cannot be copied.")
        zero = timeline_zero(container, video)
        try:
            with av.open(str(partial), "w", format="mp4", container_options={"movflags": "+faststart"}) as target:
                copies = {stream.index: target.add_stream_from_template(stream, opaque=True) for stream in streams}
                for stream in streams:
                    if stream.language:
                        copies[stream.index].metadata["language"] = stream.language
                offsets = {stream.index: _ticks(zero, stream) for stream in streams}
                for packet in container.demux(streams):
                    if packet.dts is None:
                        continue
                    offset = offsets[packet.stream.index]
                    packet.stream = copies[packet.stream.index]
                    packet.dts -= offset
                    if packet.pts is not None:
                        packet.pts -= offset
                    target.mux(packet)
        except (av.error.ArgumentError, av.error.InvalidDataError, av.error.NotImplementedError) as error:
            raise UnsupportedMedia(f"The streams cannot be copied into an MP4 file as they are ({error}).") from error


def _ticks(zero: Fraction, stream: Any) -> int:
    return round(zero / time_base_of(stream))
