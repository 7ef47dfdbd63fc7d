"""Packet times of a file, read without decoding.

They give the file's true length, its clock and its frame times.
"""

import os
import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av.error

from shared.video.limits import Limits
from shared.video.reading.captions import holds_captions
from shared.video.reading.containers.following_files import following_files
from shared.video.reading.containers.truncation import end_of_fragments, is_cut_off_matroska, is_cut_off_mxf
from shared.video.reading.open_input import audio_streams, main_video, open_input, time_base_of
from shared.video.reading.times.clock_parts import ClockParts
from shared.video.reading.times.container_traits import STREAMED, lists_packets, may_end_anywhere
from shared.video.reading.times.even_times import EvenTimes, even_times
from shared.video.reading.times.joins import Join, TrackClock, offsets_of
from shared.video.reading.times.shapes import Shape, Shapes
from shared.video.reading.times.track_packets import FARTHEST, UNTIMED, TrackPackets
from shared.video.reading.whole_packets import LastGroups, holds_picture, whole_packets

# Size in bytes up to which a file is scanned as a whole. Larger Matroska files are scanned from the last keyframe on, if that works.
_WHOLE_BYTES = 256 * 1024**2
_MOST_PACKETS = 20_000_000
_KEPT = 32


@dataclass(frozen=True, slots=True)
class Size:
    """A picture shape, and its start time `at`.

    `at`: in the main video's time base, on the continuous clock.
    """

    at: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan: packet times, joined parts and picture shapes.

    `times`: presentation times of the main video's packets from the first keyframe on, rising, in its time base, on the continuous clock.
    `breaks`: places in `times` at which a joined part begins. `ends`: seconds on the continuous clock at which tracks end, by stream
    index, without empty tracks. `whole`: every packet was read. `sizes`: shapes of the pictures, in order, where keyframes tell.
    `cut_off`: the file ends before its last samples. `even`: the times of tracks that state wrong ones, by stream index. `untimed`:
    number of the main video's packets without a time. `files`: seconds on the continuous clock at which the later files in a joined file
    begin, where these are opened one by one. `captions`: pictures carry closed captions; None where not all packets were read.
    `left_out`: codecs of sound in later files that is not read, by number of file and of sound track.
    `varying`: indexes of sound tracks whose sample rate or channels change. `chaptered`: number of later files with
    chapters. `damaged`: track index and time, as stated, of a last picture that is not complete. `untimed_end`: end of the last pictures
    if packets have no times, None if all have. `torn`: pieces of some pictures are missing. `counted`: only some packets have times, and
    the pictures are an even step apart.
    """

    times: "array[int]"
    breaks: tuple[int, ...]
    step: int
    ends: dict[int, Fraction]
    joins: tuple[Join, ...]
    clocks: dict[int, TrackClock]
    whole: bool
    sizes: tuple["Size", ...] = ()
    cut_off: bool = False
    even: Mapping[int, EvenTimes] = field(default_factory=dict)
    untimed: int = 0
    files: tuple[Fraction, ...] = ()
    captions: bool | None = None
    left_out: Mapping[tuple[int, int], str] = field(default_factory=dict)
    varying: frozenset[int] = frozenset()
    chaptered: int = 0
    damaged: tuple[int, int] | None = None
    untimed_end: int | None = None
    torn: bool = False
    counted: bool = False

    @property
    def nowhere_timed(self) -> bool:
        """Whether all packets were read, and none of the main video states a time."""
        return self.whole and not self.times and self.untimed > 0

    @property
    def end(self) -> int | None:
        """Return the end of the last picture, in the main video's time base."""
        return max(self.times[-1] + self.step, self.untimed_end or 0) if self.times else None


def scan(path: str | os.PathLike[str], limits: Limits, *, seconds: float | None = None) -> Scan | None:
    """Read a file's packet times, once per process.

    None if its container lists them, so that nothing has to be read, and if reading takes longer than `seconds`. After that, a call with a
    longer limit, or without one, reads the file; any other call returns None at once. A long file with an index is read at its end only.
    Raises what `open_input` raises.
    """
    status = os.stat(path)
    key = (os.path.abspath(path), status.st_size, status.st_mtime_ns, status.st_ino)
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            entry = _cache[key]
            if not isinstance(entry, _TooLong):
                return entry
            if seconds is not None and seconds <= entry.seconds:
                return None
    result = _scanned(path, limits, seconds)
    with _lock:
        _cache[key] = result
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return None if isinstance(result, _TooLong) else result


@dataclass(frozen=True, slots=True)
class _TooLong:
    """The outcome of a scan that its time limit stopped."""

    seconds: float


_cache: OrderedDict[tuple[str, int, int, int], Scan | _TooLong | None] = OrderedDict()
_lock = threading.Lock()


def _scanned(path: str | os.PathLike[str], limits: Limits, seconds: float | None) -> Scan | _TooLong | None:
    """Scan a file, as `scan` does, but without the cache."""
    began = time.monotonic()
    with open_input(path, limits=limits) as container:
        name = container.format.name.partition(",")[0]
        video: Any = main_video(container, path)
        if lists_packets(container, video, path):
            return None
        ends_early = following_files(path, name).one_by_one or (name == "matroska" and is_cut_off_matroska(path))
        if name not in STREAMED and os.stat(path).st_size > _WHOLE_BYTES and not ends_early:
            short = _tail(container, video)
            if short is not None:
                return short
    with open_input(path, limits=limits) as container:
        return _read(container, main_video(container, path), path, limits, seconds, began)


def last_picture(container: Any, video: Any) -> tuple[Fraction, Fraction] | None:
    """Return the start and end of the last frame, in seconds.

    Times are on the file's clock, as packets state them. None if seeking reaches no packet.
    """
    tail = _tail(container, video)
    if tail is None or tail.end is None:
        return None
    base = time_base_of(video)
    return tail.times[-1] * base, tail.end * base


def _tail(container: Any, video: Any) -> Scan | None:
    """Scan the packets from the last keyframe on.

    None if seeking reaches no packet.
    """
    tally = TrackPackets(time_base_of(video), "video")
    try:
        container.seek(2**62, stream=video)
        for packet in container.demux(video):
            if packet.size and packet.pts is not None and not packet.is_discard and abs(packet.pts) <= FARTHEST:
                tally.add(packet, 0)
    except av.error.FFmpegError:
        return None
    if not tally.pts:
        return None
    times = array("q", sorted(tally.pts))
    end = Fraction((times[-1] + _step(times, tally)) * tally.base)
    return Scan(times, (), _step(times, tally), {video.index: end}, (), {}, whole=False)


_TS_DISCONT = 0x200


def _read(
    container: Any, video: Any, path: str | os.PathLike[str], limits: Limits, seconds: float | None, began: float
) -> Scan | _TooLong | None:
    """Scan all packets of an open file.

    None if there are more than _MOST_PACKETS. `began`: value of the monotonic clock from which `seconds`, the time limit, counts.
    """
    end = end_of_fragments(path) if container.format.name.startswith("mov") else None
    packets = _packets(container)
    state = _PacketScan(container, video, path, limits)
    for count, packet in enumerate(packets if end is None else before(end, packets), 1):
        if count > _MOST_PACKETS:
            return None
        if seconds is not None and count % 256 == 0 and time.monotonic() > began + seconds:
            return _TooLong(seconds)
        state.add(packet)
    name = container.format.name
    cut_off = (name.startswith("matroska") and is_cut_off_matroska(path)) or (name == "mxf" and is_cut_off_mxf(path))
    return state.result(cut_off=end is not None or cut_off)


class _PacketScan:
    """The tracks, joined parts and pictures of the packets so far."""

    def __init__(self, container: Any, video: Any, path: str | os.PathLike[str], limits: Limits) -> None:
        self._container, self._video, self._path, self._limits = container, video, path, limits
        self._tracks = _tracks_of(container, video)
        self._main, self._shapes, self._groups = self._tracks[video.index], Shapes(video, limits), LastGroups(video)
        self._parts = ClockParts(self._tracks, jumpy=bool(container.format.flags & _TS_DISCONT) or container.format.name == "flv")
        self._one_by_one = following_files(path, container.format.name).one_by_one
        self._files = [0]
        self._codec, self._captions, self._torn = video.codec_context.codec.canonical_name, False, False

    def add(self, packet: Any) -> None:
        """Add the next packet to its track."""
        track = self._tracks.get(packet.stream_index)
        if track is None:
            return
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None or abs(stamp) > FARTHEST:
            track.skip(packet)
            return
        at = float(stamp * track.base)
        file = self._container.part if self._one_by_one else 0
        if file >= len(self._files):
            self._files += [self._main.count] * (file + 1 - len(self._files))
            self._parts.begin_file(at, self._main)
        part = self._parts.part_of(packet, track, at)
        if track is self._main and packet.size:
            self._shapes.see(packet, track.count)
            self._groups.add(packet)
            self._captions = self._captions or holds_captions(self._codec, packet)
            self._torn = self._torn or packet.is_corrupt
        track.add(packet, part, hidden=self._one_by_one and packet.is_discard)

    def result(self, *, cut_off: bool) -> Scan:
        """Return the scan after the last packet. `cut_off`: the file ends before its last samples."""
        main, tracks, container, damaged = self._main, self._tracks, self._container, None
        if main.count > 1 and may_end_anywhere(container, self._path) and self._groups.end_damaged(self._limits):
            damaged = None if main.numbered else main.last_stamp
            main.drop_last()
            cut_off = True
        self._parts.drop_jitter()
        joins = self._settle_clocks()
        times, breaks = _dated(main) if main.even is None else (main.even.display_times(main.count), ())
        return Scan(
            times,
            breaks,
            _step(times, main),
            {index: ended for index, track in tracks.items() if (ended := track.clock.end(track.base)) is not None},
            joins,
            {index: track.clock for index, track in tracks.items()},
            whole=True,
            sizes=tuple(Size(main.pts[number] + main.clock.ticks(number), shape) for number, shape in self._shapes.changes),
            cut_off=cut_off,
            even={index: track.even for index, track in tracks.items() if track.even is not None},
            untimed=main.pts.count(UNTIMED),
            files=tuple(_time_of(main, number) for number in self._files[1:]),
            captions=self._captions,
            left_out=container.left_out if self._one_by_one else {},
            damaged=None if damaged is None else (self._video.index, damaged),
            chaptered=len(container.chaptered) if self._one_by_one else 0,
            varying=frozenset(index for index, track in tracks.items() if track.varies),
            untimed_end=_untimed_end(main, times),
            torn=self._torn,
            counted=main.decoded_evenly(_step(times, main)),
        )

    def _settle_clocks(self) -> tuple[Join, ...]:
        """Put all tracks on one continuous clock.

        Returns the joins of their parts.
        """
        main, tracks = self._main, self._tracks
        for track in tracks.values():
            if track.stamps and len(track.clock.parts) == 1 and track.kind in ("video", "audio"):
                track.even = even_times(track.stamps, track.clock.parts[0].start if track is main else track.stamps[0])
        if not main.duration or len(main.clock.parts) > 1:
            main.clock.lengthen(_step(array("q", sorted(set(main.pts) - {UNTIMED})), main))
        joins, offsets = offsets_of({index: (track.base, track.kind, track.clock) for index, track in tracks.items()}, self._video.index)
        for track in tracks.values():
            track.clock.settle(offsets, track.base)
        return joins


def _tracks_of(container: Any, video: Any) -> dict[int, TrackPackets]:
    """Return an empty collection of packets for each track, by stream index."""
    tracks = {stream.index: TrackPackets(stream.time_base or Fraction(1), stream.type) for stream in container.streams}
    if container.format.name.startswith("mov"):
        for track in tracks.values():
            track.stamps = array("q")
    tracks[video.index].numbered = container.format.name == "avi" and bool(video.codec_context.has_b_frames)
    for stream in audio_streams(container):
        tracks[stream.index].codec = stream.codec_context.codec.canonical_name
    return tracks


def _time_of(track: TrackPackets, number: int) -> Fraction:
    """Return the display time of packet `number`; after the last packet, the track's end.

    In seconds on the continuous clock.
    """
    stamp = next((stamp for place in range(number, track.count) if (stamp := track.pts[place]) != UNTIMED), None)
    if stamp is None:
        return track.clock.end(track.base) or Fraction(0)
    return (stamp + track.clock.ticks(number)) * track.base


def before(end: int, packets: Iterable[Any]) -> Iterator[Any]:
    """Yield the packets that end at or before byte offset `end`.

    Empty packets, which flush decoders, are yielded, too.
    """
    source = iter(packets)
    while True:
        try:
            packet = next(source, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        if not packet.size or packet.pos is None or (packet.pos + packet.size <= end and not packet.is_corrupt):
            yield packet


def _packets(container: Any) -> Iterator[Any]:
    """Yield the packets up to the end of the file's readable part."""
    packets = whole_packets(container.demux())
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        if holds_picture(packet):
            yield packet


def _dated(main: TrackPackets) -> tuple["array[int]", tuple[int, ...]]:
    """Return the sorted times of the decodable frames, and where joined parts begin.

    The second value lists indexes in the first.
    """
    decodable: set[int] = set()
    firsts: list[int] = []
    for number, (timed, last, ticks) in enumerate(main.clock.spans(main.count)):
        # Packets without times, as before time 0 in Matroska, may stand before the first one with a time.
        first = timed if number else 0
        skip = next((place for place in range(first, min(last, len(main.keys))) if main.keys[place]), first)
        part = [main.pts[place] + ticks for place in range(skip, min(last, len(main.pts))) if main.pts[place] != UNTIMED]
        if part:
            firsts.append(min(part))
            decodable.update(part)
    times = array("q", sorted(decodable))
    places = {value: place for place, value in enumerate(times)}
    return times, tuple(places[first] for first in firsts[1:])


def _untimed_end(main: TrackPackets, times: "array[int]") -> int | None:
    """Return the end of the last picture if packets have no times.

    It is on the continuous clock. Even pictures are counted: the one that is shown last may be decoded before others. `times`: those that
    packets state, in order.
    """
    step = _step(times, main)
    if times and main.decoded_evenly(step) and (end := times[0] + main.count * step) > times[-1]:
        return end
    return main.clock.parts[-1].end + main.clock.parts[-1].ticks if main.untimed and main.clock.parts else None


def _step(times: "array[int]", track: TrackPackets) -> int:
    """Return the duration of the last frame in ticks.

    It is the last duration that a packet states, or else the median step between frames.
    """
    if track.duration:
        return track.duration
    steps = sorted(after - before for before, after in pairwise(times))
    return steps[len(steps) // 2] if steps else 0
