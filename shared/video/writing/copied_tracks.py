"""Audio tracks of an output file that are copied from another file.

What the container cannot hold is encoded again.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
import av.audio
import av.container
import av.error
import numpy as np
from av.stream import Discard

from shared.video.limits import Limits
from shared.video.reading.metadata import keep_track_tags
from shared.video.reading.open_input import audio_streams, main_video, open_input, time_base_of, timeline_zero
from shared.video.reading.times.clock import Clock, clock_of
from shared.video.seconds import LONGER_S
from shared.video.writing.channel_layout import kept_layout
from shared.video.writing.sound_coding import flac_loses_name, sound_coding
from shared.video.writing.tracks import Mux, SampleEncoder

# Codecs that players support in each container. The MP4 standard allows PCM and Vorbis, but hardly any player does.
COPYABLE = {
    "mp4": frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "alac", "flac"}),
    "mov": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le"}),
    "matroska": frozenset(
        {"aac", "mp3", "mp2", "ac3", "eac3", "opus", "alac", "flac", "vorbis", "dts", "truehd", "pcm_s16le", "pcm_s24le"}
    ),
    "webm": frozenset({"opus", "vorbis"}),
}


def copyable(container: str, codec: str, layout: str, channels: int) -> bool:
    """Return whether a container holds an audio track unchanged, its channel layout included."""
    return codec in COPYABLE[container] and not (codec == "flac" and flac_loses_name(container, layout, channels))


class CopiedAudio:
    """A copier of another file's audio tracks, packet by packet.

    Tracks that the container cannot hold are encoded again. The other file's timeline is moved to 0.
    """

    def __init__(self, source: str | os.PathLike[str], limits: Limits):
        self._source = source
        self._limits = limits
        self._steps: Generator[Fraction, None, None] | None = None
        self._position = Fraction(-1)
        self._end: Fraction | None = None
        self.empty: list[int] = []
        """Numbers, from 1, of the tracks in which nothing could be copied."""

    def plan(self, container_format: str) -> list[str]:
        """Return warnings about tracks that a `container_format` file cannot hold unchanged.

        They are encoded again; other tracks are copied unchanged. Tracks that cannot be decoded are left out (see
        `track_warnings`).
        """
        with open_input(self._source, limits=self._limits) as container:
            sources = audio_streams(container)
            varying = clock_of(container, self._source, self._limits).varying if sources else frozenset()
            kinds = [
                (
                    stream.codec_context.codec.canonical_name,
                    stream.codec_context.layout.name,
                    stream.codec_context.channels,
                    stream.index in varying,
                )
                for stream in sources
            ]
        warnings = []
        for number, (name, layout, channels, varies) in enumerate(kinds, 1):
            if copyable(container_format, name, layout, channels) and not varies:
                continue
            coding = sound_coding(container_format, kept_layout(self._source, number - 1, name, layout, channels))
            target = coding.codec.removeprefix("lib")
            if varies:
                reason = "its sample rate or channels change"
            elif name in COPYABLE[container_format]:
                reason = f"{name} in {container_format} files does not state the channel layout {layout}"
            else:
                reason = f"players do not support {name} in {container_format} files"
            warnings.append(f"Audio track {number} was re-encoded from {name} to {target}: {reason}.")
            if coding.remark:
                warnings.append(f"Audio track {number} {coding.remark}.")
        return warnings

    def open(self, container: av.container.OutputContainer, mux: Mux) -> None:
        """Create the tracks' streams in the container.

        Runs in the writer's thread.
        """
        self._steps = self._copy(container, mux)
        next(self._steps, None)

    def pump(self, until: Fraction | None) -> None:
        """Copy packets up to `until` seconds; copy all if `until` is None."""
        while self._steps is not None and (until is None or self._position < until):
            position = next(self._steps, None)
            if position is None:
                self._steps = None
            else:
                self._position = position

    def finish(self, end: Fraction) -> None:
        """Copy the packets that are left, up to the picture's end.

        `end`: that end in seconds. Tracks that are only a little longer are copied whole.
        """
        self._end = end
        self.pump(None)

    def close(self) -> None:
        """Close the source file."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None

    def _layout(self, number: int, stream: Any) -> str:
        """Return the channel layout with which a track would be encoded."""
        context = stream.codec_context
        return kept_layout(self._source, number, context.codec.canonical_name, context.layout.name, context.channels)

    def _up_to_end(self, packets: Iterable[Any], zero: Fraction) -> Iterator[Any]:
        """Yield the packets of all tracks up to the picture's end.

        Of tracks that are longer by less than LONGER_S, all packets come. `zero`: time in the source that counts as time 0, in seconds.
        """
        held: dict[int, list[Any]] = {}
        longer: set[int] = set()
        for packet in packets:
            index = packet.stream.index
            if not packet.size:
                yield from held.pop(index, [])
            stamp = packet.pts if packet.dts is None else packet.dts
            past = None if self._end is None or stamp is None else stamp * time_base_of(packet.stream) - zero - self._end
            if not packet.size or past is None or past < 0:
                yield packet
            elif past >= LONGER_S or index in longer:
                held.pop(index, None)
                longer.add(index)
            else:
                held.setdefault(index, []).append(packet)
        for late in held.values():
            yield from late

    def _copy(self, container: av.container.OutputContainer, mux: Mux) -> Generator[Fraction, None, None]:
        with open_input(self._source, limits=self._limits) as source:
            zero = timeline_zero(source, main_video(source, self._source))
            streams = audio_streams(source)
            clock = clock_of(source, self._source, self._limits) if streams else Clock({})
            for other in source.streams:
                if all(other.index != stream.index for stream in streams):
                    other.discard = Discard.all
            writers = {
                stream.index: _packet_writer(
                    stream, container, mux, zero, self._layout(number, stream), varies=stream.index in clock.varying
                )
                for number, stream in enumerate(streams)
            }
            yield Fraction(-1)
            if not streams:
                return
            written: set[int] = set()
            for packet in self._up_to_end(clock.packets(source.demux(streams)), zero):
                # A flushing packet has a stream, but no stream index. A written packet belongs to a stream of the output.
                index = packet.stream.index
                position = writers[index](packet)
                if position is not None:
                    written.add(index)
                    yield position
            self.empty = [number for number, stream in enumerate(streams, 1) if stream.index not in written]


def _packet_writer(
    stream: Any, container: av.container.OutputContainer, mux: Mux, zero: Fraction, layout: str, *, varies: bool
) -> Callable[[Any], Fraction | None]:
    """Return a function that copies or re-encodes each packet of a track.

    `varies`: the track's sample rate or channels change.
    """
    context = stream.codec_context
    if copyable(container.format.name, context.codec.canonical_name, context.layout.name, context.channels) and not varies:
        return _copier(stream, container, mux, zero)
    return _recoder(stream, container, mux, zero, layout)


def _copier(stream: Any, container: av.container.OutputContainer, mux: Mux, zero: Fraction) -> Callable[[Any], Fraction | None]:
    base = time_base_of(stream)
    offset = round(zero / base)
    target = container.add_stream_from_template(stream, opaque=True)
    keep_track_tags(stream, target)
    last: int | None = None

    def copy(packet: Any) -> Fraction | None:
        nonlocal last
        if packet.size == 0:
            return None
        if packet.pts is None and packet.dts is None:
            return None
        packet.dts = (packet.pts if packet.dts is None else packet.dts) - offset
        packet.pts = packet.dts if packet.pts is None else packet.pts - offset
        if last is not None and packet.dts <= last:
            # Parts that were joined overlap. A shorter packet shares a tick of a coarse clock with the one before.
            if (packet.duration or 0) > 1:
                return None
            packet.dts = packet.pts = last + 1
        last = packet.dts
        position = Fraction(packet.dts * base)
        packet.stream = target
        mux(packet)
        return position

    return copy


def _recoder(
    stream: Any, container: av.container.OutputContainer, mux: Mux, zero: Fraction, layout: str
) -> Callable[[Any], Fraction | None]:
    base = time_base_of(stream)
    context = stream.codec_context
    # Copies, because the decoder changes its properties when the sound's format changes.
    name, rate, channels = context.layout.name, context.sample_rate, context.channels
    encoder = SampleEncoder(container, mux, sample_rate=rate, layout=layout, language=None)
    keep_track_tags(stream, encoder.stream)
    resampler = av.AudioResampler("flt", name, rate)
    source: tuple[str, str, int] | None = None
    samples_written = 0

    def recode(packet: Any) -> Fraction | None:
        nonlocal samples_written, resampler, source
        position: Fraction | None = None
        try:
            frames = packet.decode()
        except (av.error.InvalidDataError, av.error.EOFError):
            frames = []
        for frame in frames:
            if frame.pts is not None:
                position = frame.pts * (frame.time_base or base) - zero
                # Write silence where the source starts late or has a gap: encoded samples have no times of their own.
                gap = round(position * rate) - samples_written
                if gap > rate // 200:
                    encoder.push(np.zeros((channels, gap), np.float32))
                    samples_written += gap
            frame.pts = None
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            if source not in (None, form):
                # A resampler takes sound of one format only.
                resampler = av.AudioResampler("flt", name, rate)
            source = form
            for part in resampler.resample(frame):
                if part is not None:
                    samples = part.to_ndarray().reshape(-1, channels).T.astype(np.float32)
                    encoder.push(samples)
                    samples_written += samples.shape[1]
        if packet.size == 0:
            encoder.finish()
        return position

    return recode
