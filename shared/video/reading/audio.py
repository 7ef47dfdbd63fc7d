"""The sound of a video file, as float samples.

Times are on the timeline of the file's frames.
"""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Discard
from numpy.typing import NDArray

from shared.errors import BrokenMedia, NotFound
from shared.video.limits import Limits
from shared.video.reading.open_input import audio_streams, main_video, open_input, time_base_of, timeline_zero
from shared.video.reading.times.clock import Clock, clock_of
from shared.video.seconds import Seconds, to_fraction
from shared.video.threads.prefetch import Prefetcher

# Seconds of sound that are decoded before a position. Decoders need them for exact samples there (overlapping windows, bit reservoirs).
_PREROLL_S = Fraction(1, 4)
# Most seconds of encoder padding, which is cut off. It is sound after the end that the header states; if there is more, it is real sound.
_MOST_PADDING_S = Fraction(1, 5)


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """A block of consecutive audio samples.

    `samples`: float32 (channels, n), C-contiguous, nominally -1 to 1. `start`: time of the first sample, in seconds.
    """

    samples: NDArray[np.float32]
    start: Fraction
    sample_rate: int

    @property
    def end(self) -> Fraction:
        """The time just after the last sample, in seconds."""
        return self.start + Fraction(self.samples.shape[1], self.sample_rate)


def read_audio(
    path: str | os.PathLike[str],
    track: int = 0,
    *,
    sample_rate: int | None = None,
    start: Seconds | None = None,
    duration: Seconds | None = None,
    limits: Limits | None = None,
    prefetch: int = 16,
) -> Prefetcher[AudioBlock]:
    """Read the samples of one audio track in order, with exact times.

    Track 0 is the first of `probe(path).audio`. Time 0 is that of `read_frames`. Where the file has a gap, a block's `start` is later than
    the end of the previous block; blocks never overlap. `sample_rate`: convert to this rate; None keeps the file's rate. `start` and
    `duration` cut to the sample. Damaged packets are left out and show as gaps. Raises NotFound for a track that does not exist, and
    BrokenMedia if nothing of the track can be decoded.
    """
    name = os.fspath(path)
    first = Fraction(0) if start is None else to_fraction(start)
    last = None if duration is None else first + to_fraction(duration)
    return Prefetcher(lambda: _blocks(name, track, sample_rate, first, last, limits or Limits.current()), size=prefetch, name="read_audio")


def _blocks(path: str, track: int, sample_rate: int | None, first: Fraction, last: Fraction | None, limits: Limits) -> Iterator[AudioBlock]:
    with open_input(path, limits=limits) as container:
        streams = audio_streams(container)
        if not 0 <= track < len(streams):
            raise NotFound(f"{Path(path).name!r} has {len(streams)} audio tracks; there is no track {track}.")
        stream = streams[track]
        zero = timeline_zero(container, main_video(container, path))
        clock = clock_of(container, path, limits)
        for other_stream in container.streams:
            if other_stream.index != stream.index:
                other_stream.discard = Discard.all
        stream.codec_context.thread_type = "AUTO"
        # No seeking in a track whose stated times are wrong: its true times follow from the number of packets since the file's start.
        if first > _PREROLL_S and not clock.joined and stream.index not in clock.even:
            base = time_base_of(stream)
            container.seek(max(int((first - _PREROLL_S + zero) / base), 0), stream=stream)
        # In a joined file, the header states the end of the first part's sound only.
        padding = None if clock.joined else _padding_start(container, stream, zero)
        for block in _runs(container, clock, stream, zero, sample_rate, path):
            limits.check_duration(float(block.start))
            if padding is not None and 0 < block.end - padding <= _MOST_PADDING_S:
                cut = _cut(block, first, padding if last is None else min(padding, last))
            else:
                cut = _cut(block, first, last)
            if cut is not None:
                yield cut
            if last is not None and block.start >= last:
                return


def _padding_start(container: Any, stream: Any, zero: Fraction) -> Fraction | None:
    """Return the end of the sound in an MP4 header, in seconds.

    None if the header does not state it. Samples after that are the encoder's padding.
    """
    if not container.format.name.startswith("mov") or not stream.duration or stream.start_time is None:
        return None
    return Fraction((stream.start_time + stream.duration) * time_base_of(stream)) - zero


def _runs(container: Any, clock: Clock, stream: Any, zero: Fraction, sample_rate: int | None, path: str) -> Iterator[AudioBlock]:
    """Yield blocks of samples, with times derived from sample counts.

    The count starts anew only where the file's times jump, or its sound format changes.
    """
    base = time_base_of(stream)
    run: _Run | None = None
    decoded = False
    for frame in _decoded(clock.packets(container.demux(stream))):
        decoded = True
        start = run.expected if frame.pts is None and run else Fraction(frame.pts or 0) * (frame.time_base or base) - zero
        if run is None or not run.continues(frame, start, max(2 * base, Fraction(1, 1000))):
            if run is not None:
                yield from run.flush()
            run = _Run(frame, start, sample_rate or (run.rate if run else frame.sample_rate), run)
        yield from run.push(frame)
    if run is not None:
        yield from run.flush()
    if not decoded:
        raise BrokenMedia(f"An audio track of {Path(path).name!r} contains no sound that can be decoded. Export the file again.")


class _Run:
    """A stretch of sound without gaps, resampled as a whole."""

    def __init__(self, frame: av.AudioFrame, start: Fraction, rate: int, before: "_Run | None"):
        self._source = (frame.format.name, frame.layout.name, frame.sample_rate)
        self._start = start
        # The overlap with the previous run is cut off, so that time never goes back.
        self._floor = before.end if before is not None else start
        self._samples_in = 0
        self._samples_out = 0
        self.rate = rate
        self.layout: str = before.layout if before is not None else frame.layout.name
        self._resampler = av.AudioResampler(format="flt", layout=self.layout, rate=rate)

    @property
    def expected(self) -> Fraction:
        """The time at which the next decoded sample is due."""
        return self._start + Fraction(self._samples_in, self._source[2])

    @property
    def end(self) -> Fraction:
        return self._start + Fraction(self._samples_out, self.rate)

    def continues(self, frame: av.AudioFrame, start: Fraction, tolerance: Fraction) -> bool:
        same_format = self._source == (frame.format.name, frame.layout.name, frame.sample_rate)
        return same_format and abs(start - self.expected) <= tolerance

    def push(self, frame: av.AudioFrame) -> Iterator[AudioBlock]:
        self._samples_in += frame.samples
        frame.pts = None
        yield from self._blocks_of(self._resampler.resample(frame))

    def flush(self) -> Iterator[AudioBlock]:
        yield from self._blocks_of(self._resampler.resample(None))

    def _blocks_of(self, frames: Sequence[av.AudioFrame | None]) -> Iterator[AudioBlock]:
        for frame in frames:
            if frame is None or frame.samples == 0:
                continue
            channels = frame.layout.nb_channels
            samples = np.ascontiguousarray(frame.to_ndarray().reshape(-1, channels).T, np.float32)
            block = AudioBlock(samples, self.end, self.rate)
            self._samples_out += samples.shape[1]
            cut = _cut(block, self._floor, None)
            if cut is not None:
                yield cut


def _decoded(packets: Iterable[Any]) -> Iterator[av.AudioFrame]:
    for packet in packets:
        try:
            frames = packet.decode()
        except av.error.EOFError:
            continue
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            if frame.samples:
                yield frame


def _cut(block: AudioBlock, first: Fraction, last: Fraction | None) -> AudioBlock | None:
    """Trim a block to `first`..`last` seconds; None if nothing remains."""
    head = max(math.ceil((first - block.start) * block.sample_rate), 0)
    count = block.samples.shape[1]
    tail = count if last is None else min(math.ceil((last - block.start) * block.sample_rate), count)
    if head >= tail:
        return None
    if head == 0 and tail == count:
        return block
    samples = np.ascontiguousarray(block.samples[:, head:tail])
    return AudioBlock(samples, block.start + Fraction(head, block.sample_rate), block.sample_rate)
