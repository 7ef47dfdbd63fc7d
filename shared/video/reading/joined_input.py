"""Reading of several files that were joined byte by byte as one open file."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import av.container
import av.error

from shared.video.reading.whole_packets import whole_packets


class JoinedInput:
    """The files in a joined file, read as one PyAV container.

    Streams, tags and everything else are those of the first file, which stays open. Packets of later files follow, with the times that
    these state, in the first file's streams. `part`: number of the file of the packet read last, from 0.
    `left_out`: codecs of sound in the later files that continues no track of the first, by number of file and place among the sound tracks.
    `chaptered`: numbers of the later files with chapters.
    """

    def __init__(self, first: av.container.InputContainer, later: Sequence[Callable[[], av.container.InputContainer]], cut: Sequence[bool]):
        """Join the open file `first` with the files that follow.

        `later`: functions that open these files. `cut`: for each file, whether its end is missing.
        """
        self._first, self._later, self._cut = first, later, cut
        self.part = 0
        self.left_out: dict[tuple[int, int], str] = {}
        self.chaptered: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._first, name)

    def __enter__(self) -> "JoinedInput":
        return self

    def __exit__(self, *_error: object) -> None:
        self._first.close()

    def demux(self, *selection: Any, **kinds: Any) -> Iterator[Any]:
        """Yield the packets of the selected streams, file after file.

        An empty packet per stream follows at the end.
        """
        streams = self._first.streams.get(*selection, **kinds)
        self.part = 0
        yield from self._readable(self._first, streams)
        for number, opened in enumerate(self._later, 1):
            self.part = number
            try:
                container = opened()
            except av.error.FFmpegError:
                if not self._cut[number]:
                    raise
                continue
            try:
                yield from self._readable(container, streams)
            finally:
                container.close()
        for stream in streams:
            packet = av.Packet()
            packet.stream = stream
            yield packet

    def _readable(self, container: av.container.InputContainer, streams: Sequence[Any]) -> Iterator[Any]:
        """Yield the packets of one file, in the first file's streams.

        A file that is cut off ends at its first damaged packet.
        """
        targets = self._targets(container, streams)
        if not targets:
            return
        packets = whole_packets(container.demux([container.streams[index] for index in targets]))
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                if not self._cut[self.part]:
                    raise
                return
            if packet is None:
                return
            if packet.size or packet.pts is not None:
                if container is not self._first:
                    stream = targets[packet.stream_index]
                    _rescale(packet, stream.time_base)
                    packet.stream = stream
                yield packet

    def _targets(self, container: av.container.InputContainer, streams: Sequence[Any]) -> dict[int, Any]:
        """Return the stream that each track of a later file continues.

        The keys are the indexes of the tracks. A track continues the first file's stream of the same kind, place and codec, if that stream
        has a time base, which damaged tracks may lack. Records sound that continues no stream, and chapters.
        """
        targets = {stream.index: stream for stream in streams}
        if container is self._first:
            return targets
        if container.chapters():
            self.chaptered.add(self.part)
        firsts, continued = _by_place(self._first), {}
        for place, stream in _by_place(container).items():
            first = firsts.get(place)
            if first is not None and first.time_base and _same_codec(first, stream):
                continued[stream.index] = first
            elif stream.type == "audio":
                context = stream.codec_context
                self.left_out[self.part, place[1]] = "of an unknown kind" if context is None else context.codec.canonical_name
        return {index: first for index, first in continued.items() if first.index in targets}


def _by_place(container: av.container.InputContainer) -> dict[tuple[str, int], Any]:
    """Return an open file's tracks by kind, and by index within the kind."""
    places: dict[tuple[str, int], Any] = {}
    counts: Counter[str] = Counter()
    for stream in container.streams:
        places[stream.type, counts[stream.type]] = stream
        counts[stream.type] += 1
    return places


def _same_codec(first: Any, other: Any) -> bool:
    """Return whether two tracks have the same codec, as far as known."""
    if getattr(first, "codec_context", None) is None or getattr(other, "codec_context", None) is None:
        return True
    return bool(first.codec_context.codec.canonical_name == other.codec_context.codec.canonical_name)


def _rescale(packet: Any, base: Fraction) -> None:
    """Convert a packet's times to the time base `base`."""
    if packet.time_base == base:
        return
    factor = packet.time_base / base
    for name in ("pts", "dts", "duration"):
        value = getattr(packet, name)
        setattr(packet, name, value if value is None else round(value * factor))
    packet.time_base = base
