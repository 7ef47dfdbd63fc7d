"""The continuous clock of a file whose own clock jumps or restarts."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import av

from shared.video.limits import Limits
from shared.video.reading.containers.following_files import following_files
from shared.video.reading.containers.truncation import end_of_fragments
from shared.video.reading.times.container_traits import may_jump
from shared.video.reading.times.even_times import EvenTimes
from shared.video.reading.times.joins import TrackClock
from shared.video.reading.times.scan import before, scan
from shared.video.reading.times.track_packets import FARTHEST
from shared.video.reading.whole_packets import holds_picture, whole_packets


@dataclass(frozen=True, slots=True)
class Clock:
    """The continuous clock of an open file.

    `tracks`: by stream index; empty where the file's own clock runs through. `end`: byte up to
    which the samples of a cut-off file are whole; None for whole files. `even`: times of tracks that state wrong ones, by stream index.
    `one_by_one`: the file holds several files, which are opened one after the other. `varying`: indexes of
    sound tracks whose sample rate or channels change. `damaged`: track index and stated time of a last picture that is not complete.
    `torn`: pieces of some pictures are missing. `sparse`: only some packets have times, as in MPEG program streams. `counted`: besides, the
    pictures are an even step apart.
    """

    tracks: Mapping[int, TrackClock]
    end: int | None = None
    even: Mapping[int, EvenTimes] = field(default_factory=dict)
    one_by_one: bool = False
    varying: frozenset[int] = frozenset()
    damaged: tuple[int, int] | None = None
    torn: bool = False
    sparse: bool = False
    counted: bool = False

    @property
    def joined(self) -> bool:
        """Whether the file's own clock jumps or restarts.

        If so, the file's own times cannot be used for seeking.
        """
        return bool(self.tracks) or self.one_by_one

    def packets(self, demuxed: Iterable[Any]) -> Iterator[Any]:
        """Yield the demuxed packets, with times on the continuous clock.

        Packets come from the start of the file. Pictures at the start of a joined part that need an earlier part's pictures are left out.
        """
        demuxed = whole_packets(demuxed if self.end is None else before(self.end, demuxed))
        if self.damaged is not None:
            demuxed = (packet for packet in demuxed if (packet.stream_index, packet.pts) != self.damaged)
        if self.even:
            yield from self._evened(demuxed)
            return
        if not self.tracks:
            yield from demuxed
            return
        counts = dict.fromkeys(self.tracks, 0)
        latest: dict[int, int] = {}
        for packet in demuxed:
            index = packet.stream_index
            clock = self.tracks.get(index) if holds_picture(packet) else None
            if clock is None:
                yield packet
                continue
            number, counts[index] = counts[index], counts[index] + 1
            part = clock.at(number)
            if part is None:
                yield packet
                continue
            if part is not clock.parts[0] and packet.stream.type == "video" and part.first_key is not None and number < part.first_key:
                continue
            if part is not clock.parts[0] and packet.is_discard and not self.one_by_one:
                packet = _not_discarded(packet)
            if part.ticks:
                packet.pts = None if packet.pts is None else packet.pts + part.ticks
                packet.dts = None if packet.dts is None else packet.dts + part.ticks
            last = latest.get(index)
            if last is not None and packet.dts is not None and packet.dts <= last:
                # Sound that overlaps the part before is left out; pictures are only decoded a little later.
                if packet.stream.type != "video":
                    continue
                packet.dts = last + 1
            if packet.dts is not None:
                latest[index] = packet.dts
            yield packet

    def _evened(self, demuxed: Iterable[Any]) -> Iterator[Any]:
        """Yield the demuxed packets with even decoding times in place of the stated times.

        The packets are in decoding order from the start of the file; their display times are lost. Raises RuntimeError if the first packet
        of a track is missing, as after a seek.
        """
        counts = dict.fromkeys(self.even, 0)
        for packet in demuxed:
            even = self.even.get(packet.stream_index) if holds_picture(packet) else None
            if even is not None:
                number, counts[packet.stream_index] = counts[packet.stream_index], counts[packet.stream_index] + 1
                stated = packet.pts if packet.dts is None else packet.dts
                if number == 0 and stated is not None and even.stated < stated <= FARTHEST:
                    raise RuntimeError("packets with even times are counted from the start of the file; this one comes later")
                if packet.is_discard and number:
                    packet = _not_discarded(packet)
                packet.pts = packet.dts = even.decoding_time(number)
            yield packet


def _not_discarded(packet: Any) -> Any:
    """Return a copy of a packet without the discard flag.

    With the flag, decoders would drop its picture or sound. FFmpeg marks fragments of MP4 that come before the time it has reached, as
    those of a joined part do.
    """
    copy = av.Packet(bytes(packet))
    copy.stream, copy.time_base = packet.stream, packet.time_base
    copy.pts, copy.dts, copy.duration, copy.is_keyframe = packet.pts, packet.dts, packet.duration, packet.is_keyframe
    return copy


def clock_of(container: Any, path: str | os.PathLike[str], limits: Limits) -> Clock:
    """Return the continuous clock of an open file.

    Reads the packets of containers whose clocks can jump, once per process.
    """
    times = scan(path, limits) if may_jump(container, path) else None
    end = end_of_fragments(path) if container.format.name.startswith("mov") else None
    one_by_one = following_files(path, container.format.name).one_by_one
    if times is None:
        return Clock({}, end, one_by_one=one_by_one)
    return Clock(
        times.clocks if times.joins else {},
        end,
        times.even,
        one_by_one,
        times.varying,
        None if len(times.files) or times.joins else times.damaged,
        times.torn,
        container.format.name == "mpeg" and times.untimed > 0,
        container.format.name == "mpeg" and times.counted,
    )
