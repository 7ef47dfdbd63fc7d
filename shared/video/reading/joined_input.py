"""Reading of several files that were joined byte by byte as one open file."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import av.container
import av.error

from shared.video.reading.whole_packets import whole_packets


class JoinedInput:
    """The files in a joined file, read as one PyAV container.

    Streams, tags and everything else are those of the first file, which stays open. Packets of later files follow, with the times that
    these state, in the first file's streams. `part`: number of the file of the packet read last, from 0.
    """

    def __init__(self, first: av.container.InputContainer, later: Sequence[Callable[[], av.container.InputContainer]], cut: Sequence[bool]):
        """Join the open file `first` with the files that follow.

        `later`: functions that open these files. `cut`: for each file, whether its end is missing.
        """
        self._first, self._later, self._cut = first, later, cut
        self.part = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._first, name)

    def __enter__(self) -> "JoinedInput":
        return self

    def __exit__(self, *_error: object) -> None:
        self._first.close()

    def demux(self, *selection: Any, **kinds: Any) -> Iterator[Any]:
        """Yield the packets of the selected streams, file after file, then an empty packet per stream."""
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
        own = [container.streams[stream.index] for stream in streams if stream.index < len(container.streams)]
        by_index = {stream.index: stream for stream in streams}
        packets = whole_packets(container.demux(own))
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
                    stream = by_index[packet.stream_index]
                    if packet.time_base != stream.time_base:
                        packet.rescale_ts(stream.time_base)
                    packet.stream = stream
                yield packet
